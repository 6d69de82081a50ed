import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Replay

@Suite("A row, judged") struct JudgeTests {
  private let judge = Judge(
    map: StateMap([
      State(id: "1", code: "authorized", status: "AUTH"),
      State(id: "2", code: "captured", status: "CAPTURED"),
    ]))

  /// The last state that a log says of row 1.
  private func state(_ log: ReplayLog, _ changes: ReplayLog.Change...) throws -> KeyState {
    for change in changes { try log.commit(second: 1, change) }
    var states = KeyStates()
    for event in try log.events() { states.note(event) }
    return try #require(states.states[key(1)])
  }

  private func held(_ status: ExactText?, _ to: ExactText?) -> HeldRow {
    HeldRow(status: status, mapped: status, to: to)
  }

  @Test("each way to differ has its class")
  func classes() throws {
    let present = try state(ReplayLog(), .insert(1, .text("AUTH")))
    #expect(judge.difference(present, held("AUTH", "1")) == nil)
    #expect(judge.difference(present, held("AUTH", nil)) == .incomplete)
    #expect(judge.difference(present, held("AUTH", "2")) == .incorrect)
    #expect(judge.difference(present, held("CAPTURED", "2")) == .status)
    #expect(judge.difference(present, held(nil, nil)) == .status)
    #expect(judge.difference(present, nil) == .gone)
    let unknown = try state(ReplayLog(), .insert(1, .text("XXX")))
    #expect(judge.difference(unknown, held("XXX", nil)) == .unmapped)
    #expect(judge.difference(unknown, held("XXX", "1")) == .incorrect)
    let deleted = try state(ReplayLog(), .insert(1, .text("AUTH")), .delete(1))
    #expect(judge.difference(deleted, nil) == nil)
    #expect(judge.difference(deleted, held("AUTH", "1")) == .risen)
    let truncated = try state(ReplayLog(), .insert(1, .text("AUTH")), .truncate)
    #expect(judge.difference(truncated, held("AUTH", "1")) == .risen)
    // A row that has another key by now is gone under this one.
    let moved = try state(ReplayLog(), .insert(1, .text("AUTH")), .update(2, .text("AUTH"), from: 1))
    #expect(judge.difference(moved, nil) == nil && judge.difference(moved, held("AUTH", "1")) == .risen)
  }

  @Test("a status that was not sent is the one sent before, or any")
  func unchanged() throws {
    let known = try state(ReplayLog(), .insert(1, .text("AUTH")), .update(1, .unchanged))
    #expect(judge.difference(known, held("CAPTURED", "2")) == .status)
    let any = try state(ReplayLog(), .update(1, .unchanged))
    #expect(judge.difference(any, held("CAPTURED", "2")) == nil)
    #expect(judge.difference(any, held("CAPTURED", "1")) == .incorrect)
  }

  @Test("rows that are known follow their changes; others do not come in")
  func known() throws {
    let log = try ReplayLog()
    try log.commit(second: 1, .insert(1, .text("AUTH")), .insert(2, .text("AUTH")))
    var states = KeyStates()
    states.note(try #require(try log.events().first))
    try log.commit(
      second: 2, .update(2, .text("XXX")), .update(1, .text("CAPTURED")), .insert(3, .text("AUTH")))
    for event in try log.events() { states.noteKnown(event) }
    #expect(Set(states.states.keys) == [key(1)])
    #expect(states.states[key(1)]?.standing == .present(.known("CAPTURED")))
  }
}
