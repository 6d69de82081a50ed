import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Events

@Suite("What was before, as the log told it last") struct LastStatesTests {
  @Test(
    "random histories, from their beginning and from anywhere: what the log tells, no less and no more",
    arguments: 0..<12)
  func model(_ seed: UInt64) throws {
    var generator = SeededNumbers(seed)
    let log = try EventLog(segmentBytes: 4_000)
    let history = try RowHistory(log, transactions: 300, keys: 25, using: &generator)
    try check(history, try log.cursor(), from: 0)
    for _ in 0..<8 {
      let start = Int.random(in: 1..<history.steps.count, using: &generator)
      try check(history, try log.cursor(after: history.positions[start - 1]), from: start)
    }
  }

  @Test(
    "with room for fewer rows than there are, some is forgotten, and nothing is made up", arguments: 0..<4)
  func forgetful(_ seed: UInt64) throws {
    var generator = SeededNumbers(seed)
    let log = try EventLog()
    let history = try RowHistory(log, transactions: 1_000, keys: 300, using: &generator)
    let cursor = EventCursor(
      log.source, plan: try EventLog.plan(), map: StateMap(EventLog.states),
      after: Position(endLSN: LSN(rawValue: 0x1000)), remembering: 64)
    var (told, known) = (0, 0)
    for (index, event) in try events(history, cursor, from: 0) where event.previous?.source == .log {
      #expect(event.previous == history.before(index))
      told += 1
    }
    for index in history.steps.indices where history.before(index) != nil { known += 1 }
    #expect(told > known / 20 && told < known)
  }

  /// Each event of a history with the step it is of.
  private func events(
    _ history: RowHistory, _ cursor: EventCursor, from start: Int
  ) throws -> [(Int, StateEvent)] {
    var found: [(Int, StateEvent)] = []
    for index in start..<history.steps.count {
      if case .describe = history.steps[index] { continue }
      let event = try #require(try cursor.next())
      try #require(event.position == history.positions[index])
      found.append((index, event))
    }
    #expect(try cursor.next() == nil)
    return found
  }

  private func check(_ history: RowHistory, _ cursor: EventCursor, from start: Int) throws {
    for (index, event) in try events(history, cursor, from: start) {
      if case .update(_, _, _, true) = history.steps[index] {
        #expect(event.previous?.source == .row)
        continue
      }
      let before = history.before(index, from: start)
      #expect(event.previous == before, "step \(index) from \(start): \(history.steps[index])")
      guard case .update(_, _, let status, _) = history.steps[index] else { continue }
      let isSame = before != nil && RowHistory.told(status)?.state == before?.state
      #expect(event.kind == (isSame ? .changed : .stateChanged))
    }
  }

  @Test("two rows that exchange their keys: nothing is known of the one that looked like both")
  func exchange() throws {
    let log = try EventLog()
    try log.commit(
      second: 1,
      [
        .insert(row(1, "AUTH")), .insert(row(2, "CAPTURED")),
        .update(row(2, "AUTH"), key: row(1, nil)), .update(row(1, "CAPTURED"), key: row(2, nil)),
        .update(row(1, "AUTH")), .update(row(2, "AUTH")),
      ])
    let before = try log.events().map { $0.previous?.status }
    #expect(before == [nil, nil, .known("AUTH"), nil, .known("CAPTURED"), nil])
  }

  @Test("damage makes all of it unknown; what comes after it is remembered again")
  func damage() throws {
    let log = try EventLog(segmentBytes: 600)
    for second in 1...30 {
      try log.commit(second: Int64(second), [.update(row(1, second == 29 ? "CAPTURED" : "AUTH"))])
    }
    try log.damage(segment: 1)
    let events = try log.events()
    let gap = try #require(events.firstIndex { $0.kind == .gap })
    #expect(events[1..<gap].allSatisfy { $0.previous != nil && $0.kind == .changed })
    #expect(events[gap + 1].previous == nil && events[gap + 1].kind == .stateChanged)
    #expect(events[gap + 2].previous != nil)
    #expect(events.suffix(2).map(\.kind) == [.stateChanged, .stateChanged])
  }

  @Test("so does a part that retention has dropped before it was read")
  func pruned() throws {
    let log = try EventLog(segmentBytes: 600)
    for second in 1...30 { try log.commit(second: Int64(second), [.update(row(1, "AUTH"))]) }
    let cursor = try log.cursor()
    _ = try cursor.next()
    #expect(try cursor.next()?.previous != nil)
    let plan = try LogPruner(directory: log.path).prune(RetentionRules(bytes: 700))
    var events: [StateEvent] = []
    while let event = try cursor.next() { events.append(event) }
    let gap = try #require(events.firstIndex { $0.kind == .gap })
    let first = try #require(plan.firstAfter)
    #expect(events[gap].gap?.reason == "it was dropped before it was read: the log begins at \(first)")
    #expect(events[gap + 1].previous == nil && events[gap + 1].kind == .stateChanged)
    #expect(events[gap + 2].previous != nil)
  }

  @Test("a map that has learned: what was told under the last one is told no more")
  func map() throws {
    let log = try EventLog()
    try log.commit(second: 1, [.update(row(1, "AUTH")), .update(row(1, "AUTH")), .update(row(1, "AUTH"))])
    let cursor = try log.cursor()
    _ = try cursor.next()
    #expect(try cursor.next()?.previous != nil)
    cursor.map = StateMap([State(id: "1", code: "approved", status: "AUTH")])
    #expect(try cursor.next()?.previous == nil)
  }

  @Test("where the key is not what the server tells old rows by, rows cannot be followed by it")
  func identity() throws {
    let log = try EventLog()
    let keyed = ["status"]
    try log.commit(second: 1, keyed: keyed, [.insert(row(1, "AUTH")), .update(row(1, "CAPTURED"))])
    #expect(try log.events().allSatisfy { $0.previous == nil })
  }
}
