import PGOutput
import Testing

@testable import ChangeLog

@Suite("What retention drops")
struct RetentionPlanTests {
  /// Five segments of 100 bytes, each of 10 positions, sealed at 100, 200, ...; the last is open.
  private func segments(_ archive: RetentionRules.Archiving = .none) -> [RetentionPlan.Segment] {
    (1...5).map { number in
      let at = UInt64(number)
      return RetentionPlan.Segment(
        start: LSN(rawValue: at * 10), watermark: LSN(rawValue: number < 5 ? at * 10 + 10 : .max), bytes: 100,
        writtenAt: Int64(number) * 100, archive: archive)
    }
  }

  private func plan(
    _ rules: RetentionRules, _ readers: [(String, UInt64?)] = [], archive: RetentionRules.Archiving = .none,
    now: Int64 = 1000
  ) -> RetentionPlan {
    RetentionPlan(
      segments: segments(archive),
      readers: readers.map { .init(name: $0.0, position: $0.1.map(LSN.init(rawValue:)), trouble: "torn") },
      rules: rules, now: now)
  }

  private func starts(_ plan: RetentionPlan) -> [UInt64] { plan.drops.map(\.segment.start.rawValue) }

  @Test("nothing without a rule; never the last, whatever the rule")
  func bounds() {
    #expect(starts(plan(RetentionRules())) == [])
    for rules in [
      RetentionRules(age: 0), RetentionRules(bytes: 0), RetentionRules(before: LSN(rawValue: .max - 1)),
    ] {
      #expect(starts(plan(rules)) == [10, 20, 30, 40])
      #expect(plan(rules).held == nil)
    }
    #expect(RetentionPlan(segments: [], readers: [], rules: RetentionRules(age: 0), now: 0).drops.isEmpty)
  }

  @Test(
    "by age, by size, before a position: the beginning only, and each says why",
    arguments: [
      (RetentionRules(age: 700), [10, 20, 30], "age"), (RetentionRules(age: 801), [10], "age"),
      (RetentionRules(age: 901), [], ""), (RetentionRules(bytes: 300), [10, 20], "size"),
      (RetentionRules(bytes: 499), [10], "size"), (RetentionRules(bytes: 500), [], ""),
      (RetentionRules(before: LSN(rawValue: 30)), [10, 20], "before"),
      (RetentionRules(before: LSN(rawValue: 29)), [10], "before"),
      (RetentionRules(age: 801, bytes: 200), [10, 20, 30], "age"),
    ] as [(RetentionRules, [UInt64], String)])
  func rules(rules: RetentionRules, dropped: [UInt64], reason: String) {
    let plan = plan(rules)
    #expect(starts(plan) == dropped)
    #expect(plan.drops.first?.reason.rawValue ?? "" == reason)
    #expect(plan.bytes == UInt64(dropped.count * 100))
    #expect(plan.firstAfter == LSN(rawValue: (dropped.last ?? 0) + 10))
  }

  @Test("a clock that was set back makes nothing old")
  func clock() {
    #expect(starts(plan(RetentionRules(age: 50), now: 20)) == [])
  }

  @Test("the slowest reader holds what it has not passed whole, and is named")
  func readers() {
    let rules = RetentionRules(bytes: 0)
    let held = plan(rules, [("fast", 45), ("slow", 29)])
    #expect(starts(held) == [10])
    #expect(
      held.held == .init(start: LSN(rawValue: 20), hold: .reader(name: "slow", position: LSN(rawValue: 29))))
    #expect(held.hurts.isEmpty)
    #expect(starts(plan(rules, [("slow", 30)])) == [10, 20])
    // One whose gap is there already: it still needs the rest.
    #expect(starts(plan(rules, [("late", 5)])) == [])
    // One that cannot be read holds all.
    let torn = plan(rules, [("torn", nil)])
    #expect(torn.drops.isEmpty)
    #expect(torn.held?.hold == .unknownReader(name: "torn", reason: "torn"))
  }

  @Test("past a reader only when told so, or when it lags too far; the dual-write never; who loses is said")
  func pastReaders() {
    var rules = RetentionRules(bytes: 0)
    rules.isPastReaders = true
    let past = plan(rules, [("slow", 25), ("fast", 50), ("torn", nil)])
    #expect(starts(past) == [10, 20, 30, 40])
    #expect(
      past.hurts == [
        .init(name: "slow", from: LSN(rawValue: 25), to: LSN(rawValue: 50), isArchived: false)
      ])
    #expect(plan(rules, [("slow", 25)], archive: .trusted).hurts.first?.isArchived == true)
    #expect(starts(plan(rules, [("dual-write", 30)])) == [10, 20])
    #expect(starts(plan(rules, [("dual-write", nil)])) == [])
    // 500 bytes before it: one that may lag by 350 holds the last three segments and the open one.
    #expect(starts(plan(RetentionRules(bytes: 0, readerLag: 350), [("slow", 10)])) == [10, 20])
    #expect(starts(plan(RetentionRules(bytes: 0, readerLag: 350), [("dual-write", 10)])) == [])
  }

  @Test("not before it is archived, nor verified where that is asked, nor confirmed")
  func archived() {
    for (asked, known, hold) in [
      (.trusted, .none, .notArchived), (.verified, .none, .notArchived), (.verified, .trusted, .notVerified),
      (.trusted, .trusted, nil), (.trusted, .verified, nil), (.verified, .verified, nil),
    ] as [(RetentionRules.Archiving, RetentionRules.Archiving, RetentionPlan.Hold?)] {
      var rules = RetentionRules(bytes: 0)
      rules.archive = asked
      let plan = plan(rules, archive: known)
      #expect(plan.held?.hold == hold)
      #expect(plan.drops.isEmpty == (hold != nil))
    }
    var rules = RetentionRules(bytes: 0)
    rules.confirmed = LSN(rawValue: 35)
    #expect(starts(plan(rules)) == [10, 20])
    #expect(plan(rules).held?.hold == .unconfirmed(LSN(rawValue: 35)))
  }
}
