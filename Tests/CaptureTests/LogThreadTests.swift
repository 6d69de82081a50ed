import Glibc
import LocalCluster
import Logging
import PGOutput
import Postgres
import Testing

@testable import Capture
@testable import ChangeLog

@Suite("The thread of the log", .timeLimit(.minutes(10))) struct LogThreadTests {
  private let log: LogFixture
  private let interrupt: Interrupt
  private let feed: LogFeed
  private let thread: Worker<Bool>

  init() throws {
    let log = try LogFixture()
    let interrupt = try #require(Interrupt())
    let feed = LogFeed(durable: LogFixture.start, interrupt: interrupt)
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let quiet = logger
    let spools = try SpoolStore(logDirectory: log.path, calls: log.calls)
    self.log = log
    self.interrupt = interrupt
    self.feed = feed
    thread = Worker {
      LogThread(
        writer: log.writer, spools: spools, feed: feed, tail: log.tail, status: CaptureStatusBoard(),
        interrupt: interrupt,
        logger: quiet
      ).run()
      return true
    }
  }

  private func lsn(_ value: UInt64) -> LSN { LSN(rawValue: value) }

  private func write(_ stream: String) {
    _ = feed.gather { $0.add(stream) }
    feed.submit()
  }

  private func becomesDurable(_ value: UInt64) throws -> Bool {
    try eventually(within: .seconds(20)) { try feed.durable() >= lsn(value) }
  }

  private func end() async {
    feed.close()
    _ = await thread.value
  }

  @Test("what is durable stands in the files, transaction by transaction")
  func writes() async throws {
    write("B20 R7 I7 C20:30")
    #expect(try becomesDurable(30))
    write("B40 U7 C40:50")
    #expect(try becomesDurable(50))
    await end()
    #expect(try log.contents().words == "B20 R7 I7 C20:30 B40 U7 C40:50")
    #expect(log.tail.isClosed)
  }

  @Test("a torn transaction makes nothing durable until its end is there")
  func torn() async throws {
    write("B20 I7 C20:30 B40 I7")
    #expect(try becomesDurable(30))
    write("I7 C40:50")
    #expect(try becomesDurable(50))
    await end()
    #expect(try log.contents().words == "B20 I7 C20:30 B40 I7 I7 C40:50")
  }

  @Test("a watermark is written after the group it came with, and becomes durable")
  func watermark() async throws {
    _ = feed.gather { $0.add("B20 I7 C20:30") }
    feed.mark(watermark: lsn(90))
    #expect(try becomesDurable(90))
    await end()
    let found = try log.contents()
    #expect(found.words == "B20 I7 C20:30")
    #expect(found.watermark == lsn(90))
  }

  @Test("a watermark inside a transaction is left to its commit")
  func watermarkInside() async throws {
    _ = feed.gather { $0.add("B20 I7 C20:30 B100 I7") }
    feed.mark(watermark: lsn(90))
    #expect(try becomesDurable(30))
    #expect(try feed.durable() == lsn(30))
    write("C100:120")
    #expect(try becomesDurable(120))
    await end()
    #expect(try log.contents().words == "B20 I7 C20:30 B100 I7 C100:120")
  }

  @Test("after a lost connection the torn transaction is gone, and comes again whole")
  func discard() async throws {
    write("B20 I7 C20:30 B40 I7")
    #expect(try becomesDurable(30))
    #expect(try feed.settle() == lsn(30))
    write("B40 I7 I7 C40:50")
    #expect(try becomesDurable(50))
    await end()
    #expect(try log.contents().words == "B20 I7 C20:30 B40 I7 I7 C40:50")
  }

  private func spool(_ stream: String, of xid: UInt32) {
    _ = feed.gather { $0.add(stream, toSpoolOf: xid) }
    feed.submit()
  }

  private func perform(_ step: SpoolStep) {
    _ = feed.gather { $0.add(step) }
    feed.submit()
  }

  private func frame(_ xid: UInt32, _ commit: UInt64, _ end: UInt64) -> SpoolStep.Frame {
    .init(
      xid: TransactionID(rawValue: xid), walStart: 1,
      commit: Commit(commitLSN: lsn(commit), endLSN: lsn(end), commitTime: Timestamp(rawValue: 0)))
  }

  @Test("a spooled transaction gets into the log between what came before its commit and after it")
  func splice() async throws {
    spool("R7 I7", of: 3)
    write("B20 R7 I7 C20:30")
    spool("U7", of: 3)
    perform(.splice(TransactionID(rawValue: 3), frame(3, 40, 50)))
    write("B60 D7 C60:70")
    #expect(try becomesDurable(70))
    await end()
    #expect(try log.contents().words == "B20 R7 I7 C20:30 B40 R7 I7 U7 C40:50 B60 D7 C60:70")
  }

  @Test("a lost connection forgets what was streamed, not what is prepared")
  func forgets() async throws {
    spool("I7", of: 3)
    spool("R7 U7", of: 4)
    let prepared = PreparedTransaction(
      xid: TransactionID(rawValue: 4), gid: "g4", prepareLSN: lsn(20), endLSN: lsn(30),
      prepareTime: Timestamp(rawValue: 0), changes: 1, bytes: 34)
    perform(.prepare(prepared))
    _ = try feed.settle()
    spool("D7", of: 3)
    perform(.splice(TransactionID(rawValue: 3), frame(3, 40, 50)))
    perform(.splicePrepared(prepared, frame(4, 60, 70)))
    #expect(try becomesDurable(70))
    await end()
    #expect(try log.contents().words == "B40 D7 C40:50 B60 R7 U7 C60:70")
    #expect(try Directory.names(in: log.path + "/spool").sorted().isEmpty)
  }

  @Test("a full disk confirms nothing, is told, and ends when there is room again")
  func diskFull() async throws {
    write("B20 I7 C20:30")
    #expect(try becomesDurable(30))
    log.disk { $0.isFull = true }
    write("B40 I7 C40:50")
    #expect(eventually(within: .seconds(20)) { feed.fullSince != nil })
    #expect(try feed.durable() == lsn(30))
    log.disk { $0.isFull = false }
    #expect(try becomesDurable(50))
    #expect(feed.fullSince == nil)
    await end()
    #expect(try log.contents().words == "B20 I7 C20:30 B40 I7 C40:50")
  }

  @Test("a stop ends the wait for room; what was not written was not confirmed")
  func stopWhileFull() async throws {
    log.disk { $0.isFull = true }
    write("B20 I7 C20:30")
    #expect(eventually(within: .seconds(20)) { feed.fullSince != nil })
    interrupt.stop()
    _ = await thread.value
    let error = #expect(throws: CaptureError.self) { try feed.durable() }
    guard case .log(.diskFull)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("a sync that fails is final: nothing later becomes durable, and readers are told that it is over")
  func syncFails() async throws {
    log.disk { $0.syncFails = true }
    write("B20 I7 C20:30")
    _ = await thread.value
    log.disk { $0.syncFails = false }
    write("B40 I7 C40:50")
    let error = #expect(throws: CaptureError.self) { try feed.durable() }
    guard case .log(.syncFailed)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(log.tail.isClosed)
  }
}
