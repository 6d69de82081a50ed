import Glibc
import ChangeLog
import PGOutput
import Postgres
import Testing

@testable import Capture

@Suite("The feed of the log", .timeLimit(.minutes(10))) struct LogFeedTests {
  private let interrupt: Interrupt
  private let feed: LogFeed

  init() throws {
    interrupt = try #require(Interrupt())
    feed = LogFeed(durable: LSN(rawValue: 10), interrupt: interrupt)
  }

  private func lsn(_ value: UInt64) -> LSN { LSN(rawValue: value) }

  /// Gathers records and gives them to the writer.
  private func gather(_ stream: String) -> Int {
    defer { feed.submit() }
    return feed.gather { $0.add(stream) }
  }

  /// Whether the interrupt was nudged since it was asked last.
  private func nudged() -> Bool {
    var descriptor = pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0)
    defer { interrupt.drain() }
    return poll(&descriptor, 1, 0) > 0
  }

  @Test("what has gathered is taken in one group, and the next gathers anew")
  func groups() throws {
    let first = gather("B20 I7 C20:30")
    #expect(gather("B40 I7 C40:50") == 2 * first)
    let work = try #require(feed.take())
    #expect(work.steps.count == 1)
    #expect(work.log?.transactions == 2)
    #expect(!work.discardPartial)
    #expect(gather("B60 I7 C60:70") == first)
  }

  @Test("there is room until a mebibyte waits, and again as soon as the writer has taken it")
  func limit() throws {
    #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
    let record = [UInt8](repeating: UInt8(ascii: "I"), count: 1 << 16)
    var waiting = gather("B20")
    while waiting < LogFeed.limit {
      #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
      waiting = feed.gather { intake in record.withUnsafeBytes { intake.log(walStart: 0, payload: $0) } }
    }
    #expect(!feed.waitForRoom(deadline: .after(milliseconds: 1)))
    _ = try #require(feed.take())
    #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
  }

  @Test("a failure of the log ends a wait for room, and is final")
  func failure() throws {
    let record = [UInt8](repeating: UInt8(ascii: "I"), count: LogFeed.limit)
    _ = feed.gather { intake in record.withUnsafeBytes { intake.log(walStart: 0, payload: $0) } }
    feed.failed(.log(.diskFull(path: "/log")))
    #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
    #expect(nudged())
    feed.written(durable: lsn(500))
    let error = #expect(throws: CaptureError.self) { try feed.durable() }
    #expect(error?.description == "no room to append to /log")
    #expect(throws: CaptureError.self) { try feed.settle() }
  }

  @Test("durability only grows")
  func durable() throws {
    #expect(try feed.durable() == lsn(10))
    feed.written(durable: lsn(50))
    feed.written(durable: lsn(40))
    #expect(try feed.durable() == lsn(50))
  }

  @Test("a nudge comes when the position asked for is durable, once")
  func notify() {
    feed.notify(at: lsn(50))
    feed.written(durable: lsn(49))
    #expect(!nudged())
    feed.written(durable: lsn(50))
    #expect(nudged())
    feed.written(durable: lsn(60))
    #expect(!nudged())
  }

  @Test("a watermark is work only past what is durable, and the highest asked for counts")
  func watermark() throws {
    feed.mark(watermark: lsn(60))
    feed.mark(watermark: lsn(50))
    let work = try #require(feed.take())
    #expect(work.watermark == lsn(60))
    #expect(work.steps.isEmpty)
    feed.written(durable: lsn(60))
    feed.mark(watermark: lsn(60))
    feed.close()
    #expect(feed.take() == nil)
  }

  @Test("a watermark that met an open transaction does not keep the writer busy until that ends")
  func watermarkMeetsTransaction() throws {
    feed.mark(watermark: lsn(60))
    _ = gather("B80 I7")
    let work = try #require(feed.take())
    #expect(work.watermark == lsn(60))
    // Inside a transaction the log cannot take a watermark: nothing became durable.
    feed.written(durable: lsn(10))
    feed.close()
    #expect(feed.take() == nil)
  }

  @Test(
    "a lost connection cuts the torn transaction off, forgets the watermark, and waits until that is done")
  func settle() async throws {
    _ = gather("B20 I7 C20:30 B40 I7")
    feed.mark(watermark: lsn(35))
    let feed = feed
    let writer = Worker { () -> [Bool] in
      var seen: [Bool] = []
      while let work = feed.take() {
        seen.append(work.discardPartial)
        feed.written(durable: LSN(rawValue: 30))
      }
      return seen
    }
    #expect(try feed.settle() == lsn(30))
    feed.close()
    #expect(await writer.value.contains(true))
  }

  @Test("a full disk is known with its beginning until something is written")
  func full() {
    #expect(feed.fullSince == nil)
    feed.full()
    let since = feed.fullSince
    #expect(since != nil)
    feed.full()
    #expect(feed.fullSince == since)
    feed.written(durable: lsn(50))
    #expect(feed.fullSince == nil)
  }

  @Test("a closed feed gives what it still holds, then ends")
  func close() {
    _ = gather("B20 I7 C20:30")
    feed.close()
    #expect(feed.take()?.log?.transactions == 1)
    feed.written(durable: lsn(30))
    #expect(feed.take() == nil)
  }
}

extension LogFeed.Work {
  /// The first records for the log.
  fileprivate var log: RecordGroup? {
    for case .log(let group) in steps { return group }
    return nil
  }
}

@Suite("What gathers for the log") struct IntakeTests {
  private func places(_ intake: Intake) -> [String] {
    intake.finish().map { step in
      switch step {
      case .log(let group): "log \(group.recordCount)"
      case .spool(let xid, let group): "spool \(xid) \(group.recordCount)"
      case .spoolStep(let step): "\(step)".prefix { $0 != "(" } + ""
      }
    }
  }

  @Test("runs of records for one place stay together, in the order of the stream")
  func order() {
    let intake = Intake()
    intake.add("B20 I7")
    intake.add("C20:30")
    intake.add("I7 I7", toSpoolOf: 3)
    intake.add("I7", toSpoolOf: 4)
    intake.add(.cut(TransactionID(rawValue: 3), bytes: 17))
    intake.add("I7", toSpoolOf: 4)
    intake.add("B40 I7 C40:50")
    #expect(places(intake) == ["log 3", "spool 3 2", "spool 4 1", "cut", "spool 4 1", "log 3"])
  }

  @Test("its bytes are those of all places")
  func bytes() {
    let intake = Intake()
    #expect(intake.isEmpty)
    intake.add("I7", toSpoolOf: 3)
    let one = intake.byteCount
    intake.add("I7", toSpoolOf: 4)
    intake.add("I7", toSpoolOf: 3)
    #expect(intake.byteCount == 3 * one)
    #expect(!intake.isEmpty)
  }

  @Test("a record of a streamed block loses its transaction id, and nothing else")
  func transactionID() throws {
    let intake = Intake()
    StreamScript.bytes("I7@99").withUnsafeBytes {
      intake.spool(TransactionID(rawValue: 3), walStart: 5, payload: $0, idSize: 4)
    }
    guard case .spool(_, let group)? = intake.finish().first else {
      Issue.record("nothing gathered")
      return
    }
    let expected = StreamScript.bytes("I7")
    group.withUnsafeBytes { bytes in
      #expect(Array(bytes) == [0, 0, 0, UInt8(expected.count), 0, 0, 0, 0, 0, 0, 0, 5] + expected)
    }
  }
}
