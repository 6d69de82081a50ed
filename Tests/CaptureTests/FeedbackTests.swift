import LocalCluster
import PGOutput
import Testing

@testable import Capture

@Suite("Feedback") struct FeedbackTests {
  private static let second: UInt64 = 1_000_000_000

  private func feedback(start: UInt64 = 100, now: UInt64 = 0) -> Feedback {
    var feedback = Feedback(
      start: LSN(rawValue: start), now: now, interval: 10 * Self.second, progressInterval: Self.second)
    // As a stream begins: its start is reported at once.
    _ = feedback.reportNow(now)
    return feedback
  }

  private func report(_ written: UInt64, _ flushed: UInt64, _ applied: UInt64) -> Feedback.Report {
    .init(
      written: LSN(rawValue: written), flushed: LSN(rawValue: flushed), applied: LSN(rawValue: applied))
  }

  private func lsn(_ value: UInt64) -> LSN { LSN(rawValue: value) }

  @Test("received is written, durable is flushed, and applied never passes flushed")
  func fields() {
    var feedback = feedback()
    #expect(feedback.reportNow(0) == report(100, 100, 0))
    feedback.received(upTo: lsn(300))
    #expect(feedback.reportNow(0) == report(300, 100, 0))
    feedback.applied(upTo: lsn(250))
    #expect(feedback.reportNow(0) == report(300, 100, 100))
    feedback.durable(upTo: lsn(200))
    #expect(feedback.reportNow(0) == report(300, 200, 200))
    feedback.durable(upTo: lsn(300))
    #expect(feedback.reportNow(0) == report(300, 300, 250))
  }

  @Test("what is durable counts as written, even when nobody said that it was received")
  func durableIsWritten() {
    var feedback = feedback()
    feedback.durable(upTo: lsn(500))
    #expect(feedback.reportNow(0) == report(500, 500, 0))
  }

  @Test("without a request a report goes out after the interval, not before")
  func interval() {
    var feedback = feedback()
    #expect(feedback.report(now: 10 * Self.second - 1) == nil)
    #expect(feedback.report(now: 10 * Self.second) == report(100, 100, 0))
    #expect(feedback.report(now: 20 * Self.second - 1) == nil)
    #expect(feedback.report(now: 20 * Self.second) == report(100, 100, 0))
  }

  @Test("while durability moves, a report goes out every second; what is only received does not hasten it")
  func progress() {
    var feedback = feedback()
    feedback.received(upTo: lsn(200))
    #expect(feedback.report(now: 5 * Self.second) == nil)
    feedback.durable(upTo: lsn(200))
    #expect(feedback.report(now: 5 * Self.second) == report(200, 200, 0))
    feedback.durable(upTo: lsn(300))
    #expect(feedback.report(now: 6 * Self.second - 1) == nil)
    #expect(feedback.report(now: 6 * Self.second) == report(300, 300, 0))
  }

  @Test("a request is answered at once, with what is durable and no more, and only once")
  func request() {
    var feedback = feedback()
    feedback.received(upTo: lsn(200))
    feedback.keepalive(sent: lsn(250), replyRequested: true)
    #expect(feedback.report(now: 1) == report(200, 100, 0))
    #expect(feedback.report(now: 2) == nil)
  }

  @Test("a keepalive without a request asks for nothing")
  func noRequest() {
    var feedback = feedback()
    feedback.keepalive(sent: lsn(250), replyRequested: false)
    #expect(!feedback.owesDurability)
    #expect(feedback.report(now: 1) == nil)
    feedback.durable(upTo: lsn(250))
    #expect(feedback.report(now: 2) == nil)
  }

  @Test("what was asked about is answered again as soon as it is durable, without waiting for the second")
  func owed() {
    var feedback = feedback()
    feedback.keepalive(sent: lsn(250), replyRequested: true)
    #expect(feedback.owesDurability)
    #expect(feedback.report(now: 1) == report(100, 100, 0))
    feedback.durable(upTo: lsn(249))
    #expect(feedback.report(now: 2) == nil)
    feedback.durable(upTo: lsn(250))
    #expect(feedback.report(now: 3) == report(250, 250, 0))
    #expect(!feedback.owesDurability)
    #expect(feedback.report(now: 4) == nil)
  }

  @Test("at a shutdown flushed becomes exactly what the server has sent, which is what it waits for")
  func shutdown() {
    var feedback = feedback()
    feedback.durable(upTo: lsn(200))
    feedback.keepalive(sent: lsn(260), replyRequested: true)
    let before = feedback.report(now: 1)
    #expect(before == report(200, 200, 0))
    feedback.keepalive(sent: lsn(260), replyRequested: true)
    feedback.durable(upTo: lsn(260))
    let last = feedback.report(now: 2)
    #expect(last == report(260, 260, 0))
  }

  @Test("a later request while one is owed asks for the later position")
  func twoRequests() {
    var feedback = feedback()
    feedback.keepalive(sent: lsn(200), replyRequested: true)
    feedback.keepalive(sent: lsn(300), replyRequested: true)
    _ = feedback.report(now: 1)
    feedback.durable(upTo: lsn(200))
    #expect(feedback.report(now: 2) == nil)
    feedback.durable(upTo: lsn(300))
    #expect(feedback.report(now: 3) == report(300, 300, 0))
  }

  @Test("the time until a report is due follows the interval that holds")
  func due() {
    var feedback = feedback(now: 7)
    #expect(feedback.nanosecondsUntilDue(now: 7) == 10 * Self.second)
    feedback.durable(upTo: lsn(200))
    #expect(feedback.nanosecondsUntilDue(now: 7 + Self.second / 4) == Self.second * 3 / 4)
    #expect(feedback.nanosecondsUntilDue(now: 60 * Self.second) == 0)
    _ = feedback.reportNow(60 * Self.second)
    #expect(feedback.nanosecondsUntilDue(now: 60 * Self.second) == 10 * Self.second)
  }

  @Test("an interval shorter than the one for progress holds for both")
  func shortInterval() {
    let feedback = Feedback(start: lsn(1), now: 0, interval: 50)
    #expect(feedback.progressInterval == 50)
  }

  @Test(
    "no field ever goes back, and flushed never passes what is durable", arguments: 0..<100 as Range<UInt64>)
  func monotone(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var feedback = feedback()
    var now: UInt64 = 0
    var durable: UInt64 = 100
    var last = report(0, 0, 0)
    for _ in 0..<400 {
      let position = UInt64.random(in: 1...1000, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: feedback.received(upTo: lsn(position))
      case 1:
        feedback.durable(upTo: lsn(position))
        durable = max(durable, position)
      case 2: feedback.applied(upTo: lsn(position))
      case 3: feedback.keepalive(sent: lsn(position), replyRequested: Bool.random(using: &random))
      default: now += UInt64.random(in: 0...(2 * Self.second), using: &random)
      }
      let forced = Int.random(in: 0..<20, using: &random) == 0
      guard let next = forced ? feedback.reportNow(now) : feedback.report(now: now) else { continue }
      #expect(next.written >= last.written && next.flushed >= last.flushed && next.applied >= last.applied)
      #expect(next.flushed == lsn(durable) && next.written >= next.flushed && next.applied <= next.flushed)
      last = next
    }
  }
}
