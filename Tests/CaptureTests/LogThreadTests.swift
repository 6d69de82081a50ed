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
    self.log = log
    self.interrupt = interrupt
    self.feed = feed
    thread = Worker {
      LogThread(
        writer: log.writer, feed: feed, tail: log.tail, status: CaptureStatusBoard(), interrupt: interrupt,
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
    #expect(try feed.settle(partial: true) == lsn(30))
    write("B40 I7 I7 C40:50")
    #expect(try becomesDurable(50))
    await end()
    #expect(try log.contents().words == "B20 I7 C20:30 B40 I7 I7 C40:50")
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
