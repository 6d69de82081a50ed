import Logging
import PGOutput
import Postgres
import SimulatedDisk
import Testing

@testable import Capture
@testable import ChangeLog

/// A process with log and spools that is sent the plan, and begins anew when the log says that this is the end.
final class SpoolProcess {
  let disk: SimulatedDisk
  private(set) var thread: LogThread?
  private let interrupt: Interrupt
  /// Happenings that the source knows are durable.
  private var done = 0

  init(_ disk: SimulatedDisk) throws {
    self.disk = disk
    interrupt = try #require(Interrupt())
  }

  var directory: String { disk.path + "/log" }

  func perform(_ plan: [SpoolHappening]) throws {
    var failures = 0
    while done < plan.count {
      do {
        if case .restart = plan[done] { thread = nil }
        if thread == nil { try open() }
        if let thread { try perform(plan[done], thread) }
        done += 1
        disk.claim(UInt64(done))
      } catch let error as ChangeLogError {
        // Also when the error may pass: the thread waits for room itself. One fault ends two processes at most.
        failures += 1
        if failures > 2 { throw error }
        thread = nil
        disk.revive()
      }
    }
    thread = nil
  }

  /// Opens log and spools as a process does that starts.
  @discardableResult
  func open() throws -> [PreparedTransaction] {
    thread = nil
    var options = ChangeLogWriter.Options()
    options.calls = disk.calls
    let origin = OriginIdentity(
      systemIdentifier: 1, timeline: 1, databaseOID: 1, slot: "s", creationPoint: LogFixture.start)
    let writer = try ChangeLogWriter.open(
      directory: directory, origin: origin, start: LogFixture.start, options: options)
    let spools = try SpoolStore(logDirectory: directory, calls: disk.calls, chunkBytes: 300)
    let found = try spools.recover(logEnd: writer.watermark)
    thread = LogThread(
      writer: writer, spools: spools, feed: LogFeed(durable: writer.watermark, interrupt: interrupt),
      tail: LogTail(), status: CaptureStatusBoard(), interrupt: interrupt,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, patienceMicroseconds: 0)
    return found
  }

  private func perform(_ happening: SpoolHappening, _ thread: LogThread) throws {
    // What the log holds up to there is not sent again.
    if let end = happening.end, thread.writer.watermark.rawValue >= end { return }
    let intake = Intake()
    switch happening {
    case .plain(let at): intake.add("B\(at) I7 C\(at):\(at + 5)")
    case .begun(let xid, let words): intake.add(words, toSpoolOf: xid)
    case .streamed(let xid, let words, let at):
      intake.add(words, toSpoolOf: xid)
      intake.add(.splice(TransactionID(rawValue: xid), Self.frame(xid, at)))
    case .prepared(let xid, let words, let at):
      intake.add(words, toSpoolOf: xid)
      intake.add(.prepare(Self.transaction(xid, SpoolTruth.split(words), at)))
    case .preparedInPart(let xid, let words, let kept, let at):
      let transaction = Self.transaction(xid, Array(SpoolTruth.split(words).prefix(kept)), at)
      intake.add(words, toSpoolOf: xid)
      intake.add(.cut(transaction.xid, bytes: transaction.bytes))
      intake.add(.prepare(transaction))
    case .committed(let xid, let at):
      intake.add(.splicePrepared(Self.transaction(xid, [], at), Self.frame(xid, at)))
    case .rolledBack(let xid, _): intake.add(.forgetPrepared(TransactionID(rawValue: xid)))
    case .connectionLost: break
    case .restart: return
    case .complete:
      try thread.spools.markComplete()
      return
    case .doubt:
      try SpoolDirectory.doubtCompleteness(logDirectory: directory, calls: disk.calls)
      return
    }
    var discards = false
    if case .connectionLost = happening { discards = true }
    try thread.carryOut(
      LogFeed.Work(
        steps: intake.finish(), watermark: LSN(rawValue: happening.end ?? 0), discardPartial: discards,
        timeline: nil))
  }

  private static func frame(_ xid: UInt32, _ at: UInt64) -> SpoolStep.Frame {
    .init(
      xid: TransactionID(rawValue: xid), walStart: 1,
      commit: Commit(
        commitLSN: LSN(rawValue: at), endLSN: LSN(rawValue: at + 5), commitTime: Timestamp(rawValue: 0)))
  }

  private static func transaction(_ xid: UInt32, _ words: [String], _ at: UInt64) -> PreparedTransaction {
    let bytes = words.reduce(0) { $0 + 12 + StreamScript.bytes(Substring($1)).count }
    return PreparedTransaction(
      xid: TransactionID(rawValue: xid), gid: "g\(xid)", prepareLSN: LSN(rawValue: at),
      endLSN: LSN(rawValue: at + 5), prepareTime: Timestamp(rawValue: 0), changes: words.count, bytes: bytes)
  }
}
