import Migration
import Testing

@testable import crossfade

@Suite("Subscribers, as status shows them") struct SubscriberLineTests {
  @Test("how many, how far the last of them is, and who takes nothing")
  func line() {
    let fine = SubscriberStanding(name: "risk", behind: 0, stalled: nil)
    #expect(StatusReport.text([fine]) == "1 subscriber, none behind")
    let slow = SubscriberStanding(name: "reports", behind: 3 << 20, stalled: 12)
    #expect(
      StatusReport.text([fine, slow, .init(name: nil, behind: 10, stalled: 7)])
        == "3 subscribers, the furthest 3.0 MiB of the log behind; 2 take nothing, for 12 s (reports)")
  }
}
