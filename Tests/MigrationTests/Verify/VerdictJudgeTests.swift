import PGOutput
import Testing

@testable import Migration

@Suite("The verdict as of a position") struct VerdictJudgeTests {
  private func standing(
    through: UInt64, seen: ClosedRange<UInt64>? = nil, waiting: Int64 = 0, unjudged: Int64 = 0,
    wrong: Int64 = 0
  ) -> VerifiedStanding {
    var state = PassState(fingerprint: "", since: LSN(rawValue: 1), bound: nil, expected: 0)
    state.finished = true
    state.followed = LSN(rawValue: through)
    state.found.undecided = unjudged
    if wrong > 0 { state.found.counts = [.incorrect: wrong] }
    return VerifiedStanding(
      state, suspects: waiting,
      seen: (seen.map { LSN(rawValue: $0.lowerBound) }, seen.map { LSN(rawValue: $0.upperBound) }))
  }

  private var judge: VerdictJudge { VerdictJudge(position: LSN(rawValue: 100)) }

  @Test("without suspects it is what the standing says")
  func plain() {
    var judge = judge
    #expect(judge.note(standing(through: 99)) == nil)
    #expect(judge.note(standing(through: 100)) == .verified)
    #expect(judge.note(standing(through: 100, wrong: 2)) == .differences(2))
  }

  @Test("suspects of the first whole look count, later ones do not")
  func suspects() {
    var judge = judge
    #expect(judge.note(standing(through: 90, seen: 95...95, waiting: 1)) == nil)
    #expect(judge.mark == nil, "not everything was looked at yet")
    #expect(judge.note(standing(through: 100, seen: 110...120, waiting: 3)) == nil)
    #expect(
      judge.note(standing(through: 130, seen: 120...140, waiting: 2)) == nil, "one of them is still there")
    #expect(judge.note(standing(through: 140, seen: 121...150, waiting: 2)) == .verified)
  }

  @Test("one of them that turns out wrong is a difference")
  func wrong() {
    var judge = judge
    #expect(judge.note(standing(through: 100, seen: 110...120, waiting: 3)) == nil)
    #expect(judge.note(standing(through: 130, seen: 140...150, waiting: 2, wrong: 1)) == .differences(1))
  }

  @Test("rows that could not be judged for good stay in the way")
  func unjudged() {
    var judge = judge
    for through in [100, 110, 120] as [UInt64] {
      #expect(
        judge.note(standing(through: through, seen: through + 1...through + 2, waiting: 1, unjudged: 1))
          == nil)
    }
  }
}
