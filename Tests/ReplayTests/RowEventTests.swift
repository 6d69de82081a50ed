import ChangeLog
import Derivation
import PGOutput
import Postgres
import Testing

@testable import Replay

@Suite("Changes, read as events of a slot's table") struct RowEventTests {
  private let map = StateMap([
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
    State(id: "9", code: "none", status: nil),
  ])

  @Test("each kind of change says what is known of the row, and no more")
  func kinds() throws {
    let log = try ReplayLog()
    try log.commit(
      second: 1, .insert(1, .text("AUTH")), .update(1, .text("CAPTURED")), .update(2, .unchanged, from: 1),
      .update(2, .null), .full(2, old: .text("AUTH"), new: .text("auth")), .delete(2), .truncate)
    let events = try log.events()
    #expect(events.map(\.kind) == [.insert, .update, .update, .update, .update, .delete, .truncate])
    #expect(events.map(\.key) == [key(1), key(1), key(2), key(2), key(2), key(2), nil])
    #expect(events.map(\.oldKey) == [nil, nil, key(1), nil, nil, nil, nil])
    #expect(
      events.map(\.status) == [
        .known("AUTH"), .known("CAPTURED"), .unchanged, .known(nil), .known("auth"), nil, nil,
      ])
    #expect(events.map(\.oldStatus) == [nil, nil, nil, nil, .known("AUTH"), nil, nil])
    let outcomes = events.map { DerivedChange($0, by: map).outcome }
    #expect(
      outcomes == [
        .state(State(id: "1", code: "authorized", status: "AUTH")),
        .state(State(id: "2", code: "captured", status: "CAPTURED")), .untold(.unchanged),
        .state(State(id: "9", code: "none", status: nil)), .unmapped, .gone, .gone,
      ])
  }

  @Test("only the keys asked for, by their old name too; a truncation concerns them all")
  func keys() throws {
    let log = try ReplayLog()
    try log.commit(
      second: 1, .insert(1, .text("AUTH")), .insert(2, .text("AUTH")), .update(3, .text("AUTH"), from: 1),
      .truncate)
    #expect(try log.events(keys: [key(1)]).map(\.kind) == [.insert, .update, .truncate])
    #expect(try log.events(keys: [key(3)]).map(\.kind) == [.update, .truncate])
  }

  @Test("ranges: ends are positions or times, and what the log does not hold is refused")
  func ranges() throws {
    let log = try ReplayLog()
    let derive = try ReplayLog.derive()
    let ends = try [10, 20, 20, 30].map { try log.commit(second: $0, .insert(Int($0), .text("AUTH"))) }
    func resolved(_ after: Position?, _ end: ReplayRange.End) throws -> ResolvedRange {
      try ReplayRange(after: after, end: end).resolved(in: log.source, derive: derive, crossesDamage: false)
    }
    let start = Position(endLSN: LSN(rawValue: 0x1000))
    #expect(try resolved(nil, .log) == ResolvedRange(after: start, through: ends[3]))
    func time(_ second: Int64) -> Timestamp { Timestamp(rawValue: second * 1_000_000) }
    #expect(try resolved(nil, .time(time(20))).through == ends[2])
    #expect(try resolved(nil, .time(time(10))).through == ends[0])
    #expect(throws: ReplayError.self) { try resolved(nil, .time(time(9))) }
    #expect(throws: ReplayError.self) { try resolved(nil, .position(LSN(rawValue: 5))) }
    let later = Position(endLSN: ends[1])
    #expect(throws: ReplayError.self) { try resolved(later, .position(ends[0])) }
    #expect(try resolved(later, .position(ends[1])).through == ends[1])
    #expect(throws: ReplayError.self) { try resolved(later, .time(time(10))) }
    #expect(try resolved(nil, .time(time(99))).through == ends[3])
    // Within a transaction's bytes: the transaction ends after it, and so is in the range.
    let within = Position(endLSN: LSN(rawValue: ends[1].rawValue - 0x40))
    let range = try resolved(within, .position(LSN(rawValue: ends[2].rawValue + 1)))
    #expect(try log.events(range).map(\.position.endLSN) == [ends[1], ends[2]])
    #expect(throws: ReplayError.self) { try resolved(Position(endLSN: LSN(rawValue: 1)), .log) }
    #expect(throws: ReplayError.self) { try resolved(nil, .position(LSN(rawValue: ends[3].rawValue + 1))) }
  }

  @Test("the reading that finds a time tells how far it is, and stops when it is told to")
  func searched() throws {
    let log = try ReplayLog()
    for number in 0..<1100 { try log.commit(second: 10, .insert(number, .text("AUTH"))) }
    let asked = ReplayRange(after: nil, end: .time(Timestamp(rawValue: 10_000_000)))
    let interrupt = try #require(Interrupt())
    var told: [UInt64] = []
    #expect(throws: ReplayError.self) {
      try asked.resolved(
        in: log.source, derive: try ReplayLog.derive(), crossesDamage: false, interrupt: interrupt
      ) { _, _, changes in
        told.append(changes)
        interrupt.stop()
      }
    }
    #expect(told == [1024])
  }
}
