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
    #expect(work.group?.transactions == 2)
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
      waiting = feed.gather { group in record.withUnsafeBytes { group.append(walStart: 0, payload: $0) } }
    }
    #expect(!feed.waitForRoom(deadline: .after(milliseconds: 1)))
    _ = try #require(feed.take())
    #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
  }

  @Test("a failure of the log ends a wait for room, and is final")
  func failure() throws {
    let record = [UInt8](repeating: UInt8(ascii: "I"), count: LogFeed.limit)
    _ = feed.gather { group in record.withUnsafeBytes { group.append(walStart: 0, payload: $0) } }
    feed.failed(.log(.diskFull(path: "/log")))
    #expect(feed.waitForRoom(deadline: .after(milliseconds: 0)))
    #expect(nudged())
    feed.written(durable: lsn(500))
    let error = #expect(throws: CaptureError.self) { try feed.durable() }
    #expect(error?.description == "no room to append to /log")
    #expect(throws: CaptureError.self) { try feed.settle(partial: false) }
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
    #expect(work.group == nil)
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
    #expect(try feed.settle(partial: true) == lsn(30))
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
    #expect(feed.take()?.group?.transactions == 1)
    feed.written(durable: lsn(30))
    #expect(feed.take() == nil)
  }
}
