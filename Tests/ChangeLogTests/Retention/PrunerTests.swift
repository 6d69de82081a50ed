import Glibc
import PGOutput
import Synchronization
import Testing

@testable import ChangeLog

@Suite("Pruning and named readers", .timeLimit(.minutes(2)))
struct PrunerTests {
  @Test("while the log is written; whatever unlink or sync it is killed at, what stays has no hole")
  func noHole() throws {
    let names = try ArchivedLog().log.segments.count - 1
    for fatal in 0..<(2 * names) {
      let log = try ArchivedLog()
      let steps = Atomic(0)
      var calls = FileCalls.system
      calls.unlink = { path in
        if steps.add(1, ordering: .relaxed).oldValue >= fatal {
          errno = EIO
          return -1
        }
        return Glibc.unlink(path)
      }
      calls.syncDirectory = { descriptor in
        if steps.add(1, ordering: .relaxed).oldValue >= fatal {
          errno = EIO
          return -1
        }
        return fsync(descriptor)
      }
      #expect(throws: ChangeLogError.self) {
        try LogPruner(LogDirectory(path: log.log.path, calls: calls)).prune(RetentionRules(bytes: 0))
      }
      #expect(steps.load(ordering: .relaxed) == fatal + 1, "each unlink is followed by a sync")
      try log.write(3)
      let first = try #require(try LogDirectory(path: log.log.path).segments().first)
      let read = try log.records(LogSource(directory: log.log.path))
      #expect(read.bytes == log.expected(after: first))
      #expect(try LogVerifier.verify(directory: log.log.path).problems.isEmpty)
    }
  }

  @Test(
    "a named reader holds the log until it has moved on, is moved back only over what is held, and is forgotten"
  )
  func holds() throws {
    let log = try ArchivedLog()
    let readers = LogReaders(directory: log.log.path)
    let starts = try LogDirectory(path: log.log.path).segments()
    let risk = try readers.register("risk", at: Position(endLSN: log.transactions[9].end), kind: "subscriber")
    #expect(risk.position == Position(endLSN: log.transactions[9].end))
    #expect(try readers.register("risk", kind: "subscriber") == risk)
    let pruner = LogPruner(directory: log.log.path)
    let plan = try pruner.prune(RetentionRules(bytes: 0))
    #expect(plan.held?.hold == .reader(name: "risk", position: log.transactions[9].end))
    let first = try #require(try LogDirectory(path: log.log.path).segments().first)
    #expect(first <= log.transactions[9].end && first > starts[0])
    #expect(try log.records(LogSource(directory: log.log.path), after: risk.position.endLSN).ends.count == 30)
    // In the middle of a transaction it needs that transaction.
    let middle = Position(endLSN: log.transactions[20].end, ordinal: 0)
    try readers.move("risk", to: middle)
    _ = try pruner.prune(RetentionRules(bytes: 0))
    let rest = LogSource(directory: log.log.path)
    #expect(try rest.units(after: middle).nextUnit()?.end == middle.endLSN)
    #expect(throws: ChangeLogError.self) {
      try readers.move("risk", to: Position(endLSN: log.transactions[1].end))
    }
    try readers.move("risk", to: Position(endLSN: log.transactions[39].end))
    #expect(try readers.list().map(\.name) == ["risk"])
    #expect(try readers.forget("risk"))
    #expect(try !readers.forget("risk"))
    #expect(try pruner.prune(RetentionRules(bytes: 0)).held == nil)
  }

  @Test("what is no reader's name, and a directory, hold nothing and are not forgotten")
  func strays() throws {
    let log = try ArchivedLog()
    let readers = LogReaders(directory: log.log.path)
    _ = try readers.register("risk", kind: "subscriber")
    try log.log.write(Array("x".utf8), to: "readers/UPPER")
    try #require(mkdir("\(log.log.path)/readers/stray", 0o700) == 0)
    defer { rmdir("\(log.log.path)/readers/stray") }
    #expect(try readers.list().map(\.name) == ["risk"])
    #expect(try !readers.forget("stray"))
    try readers.forget("risk")
    #expect(try LogPruner(directory: log.log.path).plan(RetentionRules(bytes: 0)).held == nil)
  }

  @Test("a reader's step back is durable when it is done; one forward may be taken back")
  func stepBack() throws {
    let log = try ArchivedLog()
    let syncs = Atomic(0)
    var calls = FileCalls.system
    calls.syncDirectory = { descriptor in
      syncs.add(1, ordering: .relaxed)
      return fsync(descriptor)
    }
    let readers = LogReaders(LogDirectory(path: log.log.path, calls: calls))
    _ = try readers.register("risk", at: Position(endLSN: log.transactions[9].end), kind: "subscriber")
    let before = syncs.load(ordering: .relaxed)
    try readers.move("risk", to: Position(endLSN: log.transactions[12].end))
    #expect(syncs.load(ordering: .relaxed) == before)
    try readers.move("risk", to: Position(endLSN: log.transactions[3].end))
    #expect(syncs.load(ordering: .relaxed) == before + 1)
  }

  @Test(
    "a reader ahead of the log, of another log, or whose file cannot be read is refused by name, and holds all"
  )
  func refused() throws {
    let log = try ArchivedLog()
    let readers = LogReaders(directory: log.log.path)
    let end = try #require(log.transactions.last).end
    let beyond = Position(endLSN: LSN(rawValue: end.rawValue + 1))
    #expect(
      throws: ChangeLogError.reader(name: "risk", reason: "\(beyond) lies past the end of the log, \(end)")
    ) { try readers.register("risk", at: beyond, kind: "subscriber") }
    for name in ["", "a b", "../x", "A", "-a", String(repeating: "a", count: 64)] {
      #expect(throws: ChangeLogError.self) { try readers.register(name, kind: "subscriber") }
    }
    #expect(throws: ChangeLogError.reader(name: "risk", reason: "it is not known")) {
      try readers.move("risk", to: Position(endLSN: end))
    }
    _ = try readers.register("risk", kind: "subscriber")
    #expect(throws: ChangeLogError.self) { try readers.move("risk", to: beyond) }
    let good = try log.log.contents("readers/risk")
    let text = String(decoding: good, as: UTF8.self)
    let bad = [
      text.replacing("reader 1", with: "reader 2"), text.replacing("slot crossfade", with: "slot other"),
      String(text.dropLast(1)), String(text.prefix(20)), "", text.replacing("position 0", with: "position x"),
    ]
    let reasons = [
      "has format version 2", "its position is of another log: slot other", "is damaged", "is damaged",
      "is damaged", "is damaged",
    ]
    for (bytes, reason) in zip(bad, reasons) {
      try log.log.write(Array(bytes.utf8), to: "readers/risk")
      guard case .failure(let error)? = try readers.list().first?.reader else {
        Issue.record("\(bytes) was read")
        continue
      }
      #expect("\(error)".contains(reason), "\(error)")
      let plan = try LogPruner(directory: log.log.path).plan(RetentionRules(bytes: 0))
      #expect(plan.drops.isEmpty)
      guard case .unknownReader("risk", _)? = plan.held?.hold else {
        Issue.record("\(String(describing: plan.held))")
        continue
      }
    }
  }

  @Test("readers that follow a log while it is archived and pruned under them see every transaction once")
  func concurrent() throws {
    let log = try ArchivedLog(transactions: 10)
    let source = try log.source()
    let target = LSN(rawValue: 0x1000 + 300 * 0x1000)
    let seen = (0..<2).map { _ in Seen() }
    let threads = seen.map { seen in
      TestThread {
        do {
          let units = try source.units()
          while seen.ends.withLock({ $0.last ?? .invalid }) < target {
            while let head = try units.nextUnit() { seen.ends.withLock { $0.append(head.end) } }
            usleep(1000)
          }
        } catch {
          seen.failure.withLock { $0 = "\(error)" }
          seen.ends.withLock { $0.append(target) }
        }
      }
    }
    let archiver = LogArchiver(directory: log.log.path, archive: try log.copying())
    var rules = RetentionRules(bytes: 5000)
    rules.archive = .trusted
    let pruner = LogPruner(directory: log.log.path)
    while try #require(log.transactions.last).end < target {
      try log.write(10)
      while case .archived = archiver.step() {}
      _ = try pruner.prune(rules)
    }
    for thread in threads { thread.join() }
    for seen in seen {
      #expect(seen.failure.withLock { $0 } == nil)
      #expect(seen.ends.withLock { $0 } == log.transactions.map(\.end))
    }
    #expect(try log.records(source).bytes == log.expected())
  }

  private final class Seen: Sendable {
    let ends = Mutex<[LSN]>([])
    let failure = Mutex<String?>(nil)
  }
}
