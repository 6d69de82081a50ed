import Testing

@testable import Capture

@Suite("Pacing") struct PacingTests {
  /// How often the reader is told to pause in a second of so many messages, when it empties its socket every 100 us.
  private func pauses(messagesPerSecond: Int) -> Int {
    var pacing = Pacing(now: 0)
    var pauses = 0
    var read = 0
    for turn in 1...10_000 {
      let now = UInt64(turn) * 100_000
      let due = messagesPerSecond * turn / 10_000
      pacing.read(due - read)
      read = due
      if pacing.pausesWhenEmpty(now: now) { pauses += 1 }
    }
    return pauses
  }

  @Test("a thousand transactions of three messages a second are read without any pause")
  func calm() {
    #expect(pauses(messagesPerSecond: 0) == 0)
    #expect(pauses(messagesPerSecond: 3_000) == 0)
    #expect(pauses(messagesPerSecond: 19_000) == 0)
  }

  @Test("a saturated stream is read with pauses, from the first whole millisecond on")
  func saturated() {
    #expect(pauses(messagesPerSecond: 100_000) >= 9_900)
  }

  @Test("the pauses end in the millisecond after the backlog")
  func ends() {
    var pacing = Pacing(now: 0)
    pacing.read(1000)
    let pauses = [1_000_000, 1_500_000, 2_000_000].map { pacing.pausesWhenEmpty(now: $0) }
    #expect(pauses == [true, true, false])
  }

  @Test("the pause is far below a millisecond, which would collapse the drain")
  func length() {
    #expect(Pacing.pauseMicroseconds <= 100)
  }
}
