import DualWrite
import PGOutput
import Testing

@testable import Migration

@Suite("What a reset declares") struct ResetPlanTests {
  private func plan(_ change: (inout ResetPlan) -> Void) -> ResetPlan {
    changed(
      ResetPlan(
        slot: "fade", directory: "/log", log: .init(end: LSN(rawValue: 0x1_0000_3000)),
        checkpoint: LSN(rawValue: 0x2000),
        hasBackfill: true, server: .init(confirmed: LSN(rawValue: 0x5000)), dropsSlot: false), change)
  }

  @Test("the steps, a sentence each")
  func steps() {
    #expect(
      plan { $0.dropsSlot = true }.steps == [
        "rename /log to /log.abandoned-0000000100003000",
        "delete the checkpoint of slot fade, which stands at 0/2000",
        "delete the progress of its backfill", "drop replication slot fade",
      ])
    #expect(plan { $0.log = .init(end: nil) }.suffix == "abandoned-unknown")
  }

  @Test("the gap reaches from what was applied to where the stream goes on")
  func gap() {
    #expect(
      plan { _ in }.gap
        == "the gap: everything committed after 0/2000 and up to 0/5000, where slot fade goes on")
    #expect(
      plan { $0.dropsSlot = true }.gap
        == "the gap: everything committed after 0/2000 and before the new slot begins")
    #expect(plan { $0.server = nil }.gap.hasSuffix("before the new slot begins"))
    #expect(plan { $0.checkpoint = LSN(rawValue: 0x5000) }.gap.hasPrefix("no gap: slot fade still sends"))
    #expect(
      plan {
        $0.checkpoint = nil
        $0.log = nil
      }.gap == "no gap: nothing was applied before")
  }

  @Test("a replay that is not finished is forgotten: it would go on behind the gap")
  func replay() {
    let plan = plan { $0.replay = LSN(rawValue: 0x1800) }
    #expect(
      plan.steps.last
        == "forget the unfinished replay --apply, which has come to 0/1800 of the log set aside")
    #expect(
      !changed(plan) {
        $0.log = nil
        $0.checkpoint = nil
        $0.hasBackfill = false
      }.isEmpty)
  }

  @Test(
    "what comes next hangs on which way is derived: a backfill is refused once the new column is written alone"
  )
  func next() {
    #expect(plan { _ in }.next.map { $0.split(separator: " ")[1] } == ["run", "backfill", "verify"])
    let both = plan { $0.direction = .both }.next
    #expect(
      both.filter { $0.hasPrefix("crossfade") }.map { $0.split(separator: " ")[1] } == [
        "run", "verify", "cutover", "backfill", "verify",
      ])
    #expect(both.contains("crossfade cutover SLOT --back --forward-only"))
    #expect(plan { $0.direction = .rest }.next.count == 1)
  }

  @Test("nothing to forget is nothing to do")
  func empty() {
    let bare = plan {
      $0.log = nil
      $0.checkpoint = nil
      $0.hasBackfill = false
    }
    #expect(bare.isEmpty)
    #expect(changed(bare) { $0.dropsSlot = true }.isEmpty == false)
  }
}
