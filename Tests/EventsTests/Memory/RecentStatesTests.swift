import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Events

@Suite("What was before, remembered once for all who follow") struct RecentStatesTests {
  private static let map = StateMap(EventLog.states)

  /// One who follows, and remembers nothing himself as long as the others know.
  private func follower(_ log: EventLog, _ recent: RecentStates, after: Position) throws -> EventCursor {
    let cursor = EventCursor(
      log.source, plan: try EventLog.plan(), map: Self.map, after: after, follows: true, remembering: 0)
    cursor.recent = recent
    return cursor
  }

  @Test(
    "readers at random places: what they are told is true; those near the end are told nearly all",
    arguments: 0..<4)
  func model(_ seed: UInt64) throws {
    var generator = SeededNumbers(seed)
    let log = try EventLog(follows: true, segmentBytes: 8_000)
    let history = try RowHistory(log, transactions: 600, keys: 40, using: &generator)
    let plan = try EventLog.plan()
    let places = Dictionary(
      history.positions.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    for changes in [50, 1 << 16] {
      let recent = RecentStates(log.source, rows: 64, changes: changes)
      var readers: [EventCursor] = []
      var (told, known) = (0, 0)
      for turn in 0..<400 {
        if turn < 12 {
          let start = turn == 0 ? nil : history.positions.randomElement(using: &generator)
          readers.append(
            try follower(log, recent, after: start ?? Position(endLSN: LSN(rawValue: 0x1000))))
        }
        guard let reader = readers.randomElement(using: &generator) else { continue }
        if !recent.advance(for: reader.position, plan: plan, map: Self.map) { reader.remember(rows: 64) }
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
          guard let event = try reader.next() else { break }
          let index = try #require(places[event.position])
          guard event.previous?.source != .row else { continue }
          let truth = history.before(index)
          #expect(event.previous == nil || event.previous == truth)
          if truth != nil { known += 1 }
          if event.previous != nil { told += 1 }
        }
      }
      #expect(told > known / 2, "\(told) of \(known)")
    }
  }

  @Test("who comes later is told what was before; who is too far behind is not covered")
  func late() throws {
    let log = try EventLog(follows: true)
    let recent = RecentStates(log.source, rows: 64, changes: 4)
    let plan = try EventLog.plan()
    let start = Position(endLSN: LSN(rawValue: 0x1000))
    let end = Position(endLSN: try log.commit(second: 1, [.insert(row(1, "AUTH"))]))
    #expect(recent.advance(for: end, plan: plan, map: Self.map))
    #expect(!recent.advance(for: start, plan: plan, map: Self.map))
    // It began behind the insert.
    let first = Position(endLSN: try log.commit(second: 2, [.update(row(1, "CAPTURED"))]))
    let reader = try follower(log, recent, after: end)
    #expect(recent.advance(for: end, plan: plan, map: Self.map))
    #expect(try reader.next()?.previous == nil)
    try log.commit(second: 3, [.update(row(1, "AUTH"))])
    #expect(recent.advance(for: first, plan: plan, map: Self.map))
    #expect(try reader.next()?.previous == RowHistory.told("CAPTURED"))
    #expect(try follower(log, recent, after: first).next()?.previous == RowHistory.told("CAPTURED"))
    // The same two changes were read without it: what it does not know is not told.
    for second in 4..<12 { try log.commit(second: Int64(second), [.update(row(1, "AUTH"))]) }
    #expect(!recent.advance(for: first, plan: plan, map: Self.map))
    #expect(try follower(log, recent, after: first).next()?.previous == nil)
    // What the log got since is read when it is asked for.
    let last = try log.commit(second: 12, [.update(row(1, "CAPTURED"))])
    #expect(recent.previous(at: Position(endLSN: last, ordinal: 0)) == RowHistory.told("AUTH"))
    // Under another map it begins anew.
    let approved = State(id: "1", code: "approved", status: "AUTH")
    #expect(!recent.advance(for: reader.position, plan: plan, map: StateMap([approved])))
    #expect(recent.previous(at: Position(endLSN: last, ordinal: 0))?.state == .state(approved))
  }
}
