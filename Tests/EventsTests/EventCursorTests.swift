import ChangeLog
import Derivation
import Glibc
import PGOutput
import Synchronization
import Testing

@testable import Events

@Suite("Events, followed") struct EventCursorTests {
  @Test("going on after each event gives exactly the rest, in order")
  func resume() throws {
    let log = try EventLog(segmentBytes: 600)
    for second in 1...20 {
      try log.commit(second: Int64(second), (0..<3).map { .insert(row(second * 10 + $0, "AUTH")) })
    }
    let all = try log.events()
    #expect(all.count == 60)
    #expect(all.map(\.position) == all.map(\.position).sorted())
    for (index, event) in all.enumerated() {
      #expect(try log.events(after: event.position) == Array(all[(index + 1)...]))
    }
  }

  @Test("filters by type, state and key; truncations concern every key, gaps everybody")
  func filters() throws {
    let log = try EventLog()
    try log.commit(
      second: 1,
      [
        .insert(row(1, "AUTH")), .insert(row(2, "CAPTURED")), .update(row(3, "AUTH"), key: row(1, nil)),
        .update(row(2, "CAPTURED", 2), old: row(2, "CAPTURED")), .truncate,
      ])
    func ordinals(_ filter: EventFilter) throws -> [UInt64] {
      try log.events(filter: filter).map(\.position.ordinal)
    }
    #expect(try ordinals(.init(types: ["transaction.state.changed"])) == [0, 1])
    #expect(try ordinals(.init(types: ["transaction.changed", "transaction.truncated"])) == [2, 3, 4])
    #expect(try ordinals(.init(states: ["captured"])) == [1, 3])
    #expect(try ordinals(.init(states: ["1"])) == [0, 2])
    #expect(try ordinals(.init(keys: ["1"])) == [0, 2, 4])
    #expect(try ordinals(.init(types: ["crossfade.gap"])) == [])
    // To the byte: what only looks alike is another row's.
    let texts = try EventLog()
    try texts.commit(second: 1, [.insert(row("caf\u{E9}", "AUTH")), .insert(row("cafe\u{301}", "AUTH"))])
    #expect(try texts.events(filter: .init(keys: ["caf\u{E9}"])).map(\.position.ordinal) == [0])
    #expect(try texts.events(filter: .init(keys: ["cafe\u{301}"])).map(\.position.ordinal) == [1])
  }

  @Test("starts: earliest, latest, a position, a moment; what is not held is refused")
  func starts() throws {
    let log = try EventLog(segmentBytes: 600)
    let ends = try (1...12).map { try log.commit(second: Int64($0), [.insert(row($0, "AUTH"))]) }
    func found(_ start: String) throws -> LSN {
      let parsed = try #require(EventStart(start))
      #expect("\(parsed)" == start)
      return try parsed.position(in: log.source).endLSN
    }
    #expect(try found("earliest") == LSN(rawValue: 0x1000))
    #expect(try found("latest") == ends[11])
    #expect(try found("0/1300.0") == ends[2])
    #expect(try found("2000-01-01T00:00:05.000000Z") == ends[3])
    #expect(try found("2000-01-01T00:00:04.500000Z") == ends[3])
    #expect(try found("1999-01-01T00:00:00.000000Z") == LSN(rawValue: 0x1000))
    #expect(try found("2001-01-01T00:00:00.000000Z") == ends[11])
    #expect(EventStart("yesterday") == nil)
    #expect(throws: ChangeLogError.self) { try found("0/FFF") }
    #expect(throws: ChangeLogError.self) { try found("F/1000") }
  }

  @Test(
    "a moment before the first commit held is refused, once something was dropped: it may have been later")
  func droppedMoment() throws {
    let log = try EventLog(segmentBytes: 600)
    let ends = try (1...30).map { try log.commit(second: Int64($0), [.insert(row($0, "AUTH"))]) }
    let early = try #require(EventStart("2000-01-01T00:00:01.000000Z"))
    #expect(try early.position(in: log.source).endLSN == LSN(rawValue: 0x1000))
    try log.drop()
    let first = try #require(try log.source.bounds()?.start)
    let error = try #require(throws: ChangeLogError.self) { try early.position(in: log.source) }
    guard case .pruned(_, first) = error else {
      Issue.record("\(error)")
      return
    }
    // The first that is held: whether another with its time or a later one went, nobody knows. The next one is known.
    let held = try #require(ends.firstIndex { $0 > first }) + 1
    let at = try #require(EventStart("\(Timestamp(rawValue: Int64(held) * 1_000_000))"))
    #expect(throws: ChangeLogError.self) { try at.position(in: log.source) }
    let next = try #require(EventStart("\(Timestamp(rawValue: Int64(held + 1) * 1_000_000))"))
    #expect(try next.position(in: log.source).endLSN == ends[held - 1])
  }

  @Test(
    "a value that the map lacks is looked up once more, as of its commit, before it is told to be unmapped")
  func freshMap() throws {
    let log = try EventLog()
    try log.commit(second: 1, [.insert(row(1, "AUTH")), .insert(row(2, "HELD"))])
    try log.commit(second: 2, [.update(row(2, "AUTH")), .insert(row(3, "other"))])
    let more = EventLog.states + [State(id: "3", code: "held", status: "HELD")]
    let asked = Mutex<[Timestamp]>([])
    let cursor = try log.cursor()
    cursor.fresh = { moment in
      asked.withLock { $0.append(moment) }
      return StateMap(more)
    }
    var events: [StateEvent] = []
    while let event = try cursor.next() { events.append(event) }
    #expect(
      events.map(\.state) == [.state(more[0]), .state(more[2]), .state(more[0]), .none(.unmapped)])
    #expect(events[2].previous?.state == .state(more[2]))
    #expect(asked.withLock { $0 } == [1, 2].map { Timestamp(rawValue: $0 * 1_000_000) })
  }

  @Test("damage is crossed, and told as a gap that stands before what comes after it")
  func damage() throws {
    let log = try EventLog(segmentBytes: 600)
    for second in 1...30 { try log.commit(second: Int64(second), [.insert(row(second, "AUTH"))]) }
    let whole = try log.events()
    try log.damage(segment: 1)
    let events = try log.events()
    let gaps = events.filter { $0.kind == .gap }
    let gap = try #require(gaps.first)
    #expect(gaps.count == 1)
    #expect(events.map(\.position) == events.map(\.position).sorted())
    // What is missing lies in the gap; all else is there.
    let seen = Set(events.map(\.position))
    let missing = whole.filter { !seen.contains($0.position) }
    #expect(!missing.isEmpty)
    let next = try #require(gap.gap?.next)
    #expect(missing.allSatisfy { gap.gap.map { $0.after } ?? gap.position < $0.position })
    #expect(missing.allSatisfy { $0.position.endLSN < next })
  }
}
