import ChangeLog
import Derivation
import Glibc
import PGOutput
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
