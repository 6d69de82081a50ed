import Testing

@testable import Capture

@Suite("Pacing") struct PacingTests {
  private func saturated() -> Pacing {
    var pacing = Pacing()
    for _ in 0..<Pacing.streak { pacing.waited(nanoseconds: 5_000) }
    return pacing
  }

  @Test("a thousand transactions a second, a millisecond apart, are read without any pause")
  func calm() {
    var pacing = Pacing()
    for transaction in 0..<1000 {
      // Three messages: the first is waited for, the others come right behind it.
      pacing.waited(nanoseconds: transaction.isMultiple(of: 7) ? 400_000 : 1_000_000)
      pacing.waited(nanoseconds: 3_000)
      pacing.waited(nanoseconds: 3_000)
      #expect(!pacing.saturated)
    }
  }

  @Test("a streak of short waits is a backlog, however slow the machine")
  func backlog() {
    var pacing = Pacing()
    for _ in 1..<Pacing.streak { pacing.waited(nanoseconds: 290_000) }
    #expect(!pacing.saturated)
    pacing.waited(nanoseconds: 290_000)
    #expect(pacing.saturated)
  }

  @Test("one long wait begins the streak anew")
  func interrupted() {
    var pacing = Pacing()
    for _ in 1..<Pacing.streak { pacing.waited(nanoseconds: 1_000) }
    pacing.waited(nanoseconds: Pacing.shortWaitNanoseconds)
    for _ in 1..<Pacing.streak { pacing.waited(nanoseconds: 1_000) }
    #expect(!pacing.saturated)
  }

  @Test("pauses go on while they find messages, and end when several in a row find none")
  func ends() {
    var pacing = saturated()
    for _ in 0..<100 { pacing.paused(found: 12) }
    for _ in 1..<Pacing.emptyPauses { pacing.paused(found: 0) }
    pacing.paused(found: 1)
    #expect(pacing.saturated)
    for _ in 0..<Pacing.emptyPauses { pacing.paused(found: 0) }
    #expect(!pacing.saturated)
    pacing.waited(nanoseconds: 1_000)
    #expect(!pacing.saturated)
  }
}
