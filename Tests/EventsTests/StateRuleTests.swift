import Derivation
import Testing

@testable import Events

@Suite("Which state a change leaves a row in") struct StateRuleTests {
  private static let states = [
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
    State(id: "3", code: "settled", status: "Settled"),
  ]
  private let rule = StateRule(map: StateMap(Self.states))

  private func pair(_ from: ExactText?, _ to: ExactText?) -> ColumnPair {
    ColumnPair(from: .known(from), to: .known(to))
  }

  private func state(_ id: Int) -> StateEvent.Reading { .state(Self.states[id - 1]) }

  @Test("a new row: the new column where it is given, else the old one")
  func inserts() {
    #expect(rule.insert(pair("AUTH", nil)) == .init(state: state(1), moved: true))
    #expect(rule.insert(pair("AUTH", "2")).state == state(2))
    #expect(rule.insert(pair(nil, "3")).state == state(3))
    #expect(rule.insert(pair("auth", nil)).state == .none(.unmapped))
    #expect(rule.insert(pair("AUTH", "9")).state == .none(.unmapped))
  }

  @Test("the column that moved alone tells it, before and after")
  func alone() {
    #expect(
      rule.update(pair("CAPTURED", "1"), from: pair("AUTH", "1"))
        == .init(state: state(2), previous: state(1), moved: true))
    // The dual-write has not followed yet: the old column tells what was before.
    #expect(rule.update(pair("Settled", "1"), from: pair("CAPTURED", "1")).previous == state(2))
    // After the cutover, and the old column has not followed.
    #expect(
      rule.update(pair("AUTH", "3"), from: pair("AUTH", "2"))
        == .init(state: state(3), previous: state(2), moved: true))
    #expect(rule.update(pair("AUTH", "3"), from: pair("AUTH", nil)).previous == state(1))
    // Emptied, it tells nothing.
    #expect(rule.update(pair("AUTH", nil), from: pair("AUTH", "2")).state == state(1))
  }

  @Test("both moved: the same state, or a conflict")
  func both() {
    #expect(
      rule.update(pair("CAPTURED", "2"), from: pair("AUTH", "1"))
        == .init(state: state(2), previous: state(1), moved: true))
    #expect(
      rule.update(pair("CAPTURED", "3"), from: pair("AUTH", "1"))
        == .init(state: .none(.conflict), previous: state(1), moved: true))
  }

  @Test("neither moved: no change of state, and no guess where they differ")
  func neither() {
    #expect(
      rule.update(pair("AUTH", "1"), from: pair("AUTH", "1"))
        == .init(state: state(1), previous: state(1), moved: false))
    #expect(rule.update(pair("AUTH", nil), from: pair("AUTH", nil)).state == state(1))
    #expect(
      rule.update(pair("AUTH", "2"), from: pair("AUTH", "2"))
        == .init(state: .none(.unsettled), previous: .none(.unsettled), moved: false))
    // The new column was filled in with what the old one says: nothing is another than before.
    #expect(rule.update(pair("CAPTURED", "2"), from: pair("CAPTURED", nil)).moved == false)
  }

  @Test("without the old row nobody knows what moved: the old column where they differ, and nothing before")
  func blind() {
    #expect(rule.update(pair("CAPTURED", "1"), from: nil) == .init(state: state(2)))
    #expect(rule.update(pair("CAPTURED", "2"), from: nil) == .init(state: state(2)))
    // Until the cutover somebody has cleared it, and the new column follows a moment later.
    #expect(rule.update(pair(nil, "2"), from: nil) == .init(state: .none(.unmapped)))
    let more = Self.states + [State(id: "4", code: "held", status: nil)]
    let rule = StateRule(map: StateMap(more))
    #expect(rule.update(pair(nil, "4"), from: nil).state == .state(more[3]))
    #expect(rule.update(pair(nil, "2"), from: nil).state == .state(more[3]))
  }

  @Test("before expand and after contract one of them is in the log")
  func single() {
    let old = ColumnPair(from: .known("AUTH"), to: .unpublished)
    let new = ColumnPair(from: .unpublished, to: .known("2"))
    #expect(rule.insert(old).state == state(1))
    #expect(rule.insert(new).state == state(2))
    #expect(rule.update(new, from: ColumnPair(from: .unpublished, to: .known("1"))).previous == state(1))
    #expect(
      rule.update(old, from: ColumnPair(from: .known("Settled"), to: .unpublished)).previous == state(3))
    #expect(rule.update(new, from: new).moved == false)
  }

  @Test("a large value that was not sent has not moved")
  func toast() {
    let after = ColumnPair(from: .unchanged, to: .known("2"))
    #expect(rule.update(after, from: nil) == .init(state: .none(.unchanged), moved: false))
    #expect(rule.update(after, from: pair("CAPTURED", "2")).state == state(2))
    #expect(rule.update(after, from: pair("AUTH", "1")).state == state(2))
  }

  @Test("a deleted row has none any more; what it had, where the log tells it")
  func deletes() {
    #expect(rule.delete(nil) == .init(state: .none(.gone), moved: true))
    #expect(rule.delete(pair("AUTH", "1")).previous == state(1))
    #expect(rule.delete(pair("AUTH", "2")).previous == .none(.unsettled))
  }
}
