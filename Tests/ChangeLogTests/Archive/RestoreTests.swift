import Glibc
import PGOutput
import Testing

@testable import ChangeLog

@Suite("Restore on demand", .timeLimit(.minutes(2)))
struct RestoreTests {
  @Test("from every position a reader gets all that comes after it, across what is archived and what is held")
  func acrossTheBoundary() throws {
    let log = try ArchivedLog()
    let before = log.log.segments
    #expect(try log.archiveAll() == Array(before.dropLast()))
    try log.drop(before.count / 2)
    let source = try log.source()
    #expect(try log.records(source).bytes == log.expected())
    for position in [LSN.exampleStart] + log.transactions.map(\.end) {
      let read = try log.records(source, after: position)
      #expect(difference(read.bytes, log.expected(after: position)) == nil)
    }
    #expect(try Directory.names(in: "\(log.log.path)/restored").isEmpty)
    #expect(try source.archivedSegments().map(\.path) == Array(before.prefix(before.count / 2)))
    let exported = try TemporaryDirectory()
    let export = try source.export(through: log.transactions[3].end, into: exported.path)
    #expect(export.transactions == 4)
    #expect(throws: ChangeLogError.pruned(asked: .exampleStart, firstHeld: try firstHeld(log))) {
      try log.records(LogSource(directory: log.log.path), after: .exampleStart)
    }
  }

  private func firstHeld(_ log: ArchivedLog) throws -> LSN {
    try #require(try LogDirectory(path: log.log.path).segments().first)
  }

  @Test(
    "a reader that is in a segment when it is dropped reads on, from the archive, while the log is written")
  func droppedUnderAReader() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    let units = try log.source().units()
    var ends: [LSN] = []
    for _ in 0..<3 { if let head = try units.nextUnit() { ends.append(head.end) } }
    try log.drop(log.log.segments.count - 2)
    try log.write(30)
    while let head = try units.nextUnit() { ends.append(head.end) }
    #expect(ends == log.transactions.map(\.end))
  }

  @Test("without an archive a reader finishes the segment it has open, and is told the first position held")
  func finishesWhatIsOpen() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    let second = try #require(try LogDirectory(path: log.log.path).segments().dropFirst().first)
    let reader = try LogReader(directory: log.log.path, after: .exampleStart)
    _ = try reader.next(timeout: .zero)
    try log.drop(4)
    var read: [LSN] = []
    #expect(throws: ChangeLogError.pruned(asked: second, firstHeld: try firstHeld(log))) {
      while let chunk = try reader.next(timeout: .zero) {
        if let end = chunk.lastCommitEnd { read.append(end) }
      }
    }
    #expect(read.last == second)
  }

  @Test(
    "an archive that does not have the segment, cannot be run, or hangs: it is said which segment and why")
  func notThere() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    try log.drop(3)
    let name = try #require(log.archive.segments.first)
    let cases: [(command: String, reason: String)] = [
      (
        "cp /nowhere/%f %p",
        "ended with status 1: cp: cannot stat '/nowhere/\(name)': No such file or directory"
      ),
      ("exit 3 # %f", "ended with status 3"),
      ("no-such-command %f", "ended with status 127: the shell found no such command"),
      ("kill -9 $$ # %f", "was ended by signal 9"),
      ("sleep 100 # %f", "took longer than 1 s and was ended"),
      ("true %f", "ended with status 0, but brought no file"),
    ]
    for (command, reason) in cases {
      let restore = LogRestore(try ArchivedLog.command(command, timeout: .seconds(1)))
      let error = #expect(throws: ChangeLogError.self) {
        try log.records(LogSource(directory: log.log.path, restore: restore))
      }
      guard case .notRestored(name, let found)? = error else {
        Issue.record("\(command): \(String(describing: error))")
        continue
      }
      #expect(found.hasPrefix("the restore command \(reason)"), "\(found)")
    }
  }

  @Test("what is brought back and is not what was archived is refused by name, after three tries")
  func lying() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    try log.drop(3)
    let names = log.archive.segments
    let tries = "\(log.archive.path)/tries"
    // A whole, sound segment, but another; the right one with a bit turned; the right one cut short.
    for lie in [
      "cp \(log.archive.path)/\(names[1]) %p",
      "cp \(log.archive.path)/%f %p && printf x | dd of=%p bs=1 seek=200 conv=notrunc status=none",
      "head -c 300 \(log.archive.path)/%f > %p",
    ] {
      unlink(tries)
      let restore = LogRestore(try ArchivedLog.command("echo %f >> \(tries); \(lie)"))
      let error = #expect(throws: ChangeLogError.self) {
        try log.records(LogSource(directory: log.log.path, restore: restore))
      }
      guard case .restoredFalse(names[0], _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(
        String(decoding: try log.archive.contents("tries"), as: UTF8.self)
          == "\(names[0])\n\(names[0])\n\(names[0])\n")
    }
    // And one that tells the truth the third time is believed.
    unlink(tries)
    let late = LogRestore(
      try ArchivedLog.command(
        "echo %f >> \(tries); if [ $(grep -c %f \(tries)) -lt 3 ]; then echo > %p; else cp \(log.archive.path)/%f %p; fi"
      ))
    #expect(try log.records(LogSource(directory: log.log.path, restore: late)).bytes == log.expected())
  }

  @Test("a segment in the catalogue that the next one does not follow is refused")
  func brokenChain() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    try log.drop(3)
    let last = try #require(ArchiveCatalogue.load(directory: log.log.path).segments.prefix(3).last)
    // Sound, of the same positions, and noted with its own digest: only the chain tells.
    let twin = try ArchivedLog(table: 16385)
    try log.archive.write(try twin.log.contents(last.name), to: last.name)
    let file = try LogFile(path: "\(log.archive.path)/\(last.name)", mode: .read)
    try ArchiveCatalogue.append(
      ArchivedSegment(
        start: last.start, watermark: last.watermark, end: last.end, bytes: try file.size(),
        counts: last.counts,
        timeline: last.timeline, digest: try SegmentDigest.of(file), archivedAt: 0, isVerified: false),
      directory: log.log.path)
    let error = #expect(throws: ChangeLogError.self) { try log.records(log.source(), after: last.start) }
    guard case .restoredFalse(last.name, let reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.hasSuffix("follows another"))
  }
}
