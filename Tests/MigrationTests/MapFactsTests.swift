import Derivation
import Testing

@testable import Migration

@Suite("What check says of the map and its coverage") struct MapFactsTests {
  private func lines(_ change: (inout MapFacts) -> Void) throws -> [String] {
    let facts = MapFacts(table: Fixture.mapTable, rows: StateMap(Fixture.states))
    return Fixture.lines(changed(facts, change).findings(try Fixture.map(), role: "crossfade"))
  }

  @Test("a map as the definition lists it passes")
  func good() throws {
    #expect(
      try lines { _ in } == [
        "pass map table: public.transaction_state", "pass map's uniqueness: id and legacy_status are unique",
        "pass map: 2 states, each status there and back",
        "pass map and definition: both list the same 2 states",
      ])
  }

  @Test("no table, no column, no right to read, no rows")
  func absent() throws {
    #expect(try lines { $0.table = nil }.first?.hasPrefix("fail map table") == true)
    let said1 = try lines { $0.table?.columns.removeLast() }.first
    #expect(said1?.contains("no column legacy_status") == true)
    let said2 = try lines { $0.table?.columns[0].maySelect = false }.first
    #expect(said2?.contains("GRANT SELECT") == true)
    #expect(
      try lines { $0.rows = StateMap(rows: []) }.last?.hasPrefix(
        "fail map: public.transaction_state is empty") == true)
  }

  @Test("problems and differences fail, surplus states and loose indexes warn")
  func content() throws {
    let twice = try lines {
      $0.rows = StateMap(
        rows: Fixture.states.map(StateRow.init) + [StateRow(id: "3", code: "x", status: "AUTH")])
    }
    #expect(twice.contains { $0.hasPrefix("fail map: status `AUTH` maps to") })
    let other = try lines {
      $0.rows = StateMap([Fixture.states[0], State(id: "2", code: "captured", status: "Captured")])
    }
    #expect(
      other.contains {
        $0.hasPrefix(
          "fail map and definition: public.transaction_state holds 2 captured for 'Captured', the definition says "
            + "2 captured for 'CAPTURED'")
      })
    let surplus = try lines { $0.rows = StateMap(Fixture.states + [State(id: "9", code: "z", status: nil)]) }
    #expect(
      surplus.contains {
        $0.hasPrefix("warn map and definition: public.transaction_state also holds 9 z for NULL")
      })
    let said3 = try lines { $0.table?.indexes.removeLast() }[1]
    #expect(said3.hasPrefix("warn map's uniqueness: nothing keeps legacy_status"))
    var loose = MapFacts(table: Fixture.mapTable, rows: StateMap(Fixture.states))
    loose.table?.indexes.removeFirst()
    for (needsKey, level) in [(true, Finding.Level.fail), (false, .warn)] {
      let found = loose.findings(try Fixture.map(), role: "crossfade", needsKey: needsKey)[1]
      #expect(found.level == level)
      #expect(found.fix == "CREATE UNIQUE INDEX ON \"public\".\"transaction_state\" (\"id\");")
    }
  }

  private func coverage(_ statuses: Set<ExactText?>, _ extent: CoverageFacts.Extent) throws -> [String] {
    Fixture.lines(
      CoverageFacts(statuses: statuses, extent: extent).findings(
        try Fixture.derive(), map: StateMap(Fixture.states)))
  }

  @Test("every status in the table must be in the map, to the byte")
  func covered() throws {
    #expect(
      try coverage(["AUTH", "CAPTURED"], .whole) == [
        "pass coverage: all 2 statuses in public.transactions are in the map"
      ])
    let found = try coverage(["AUTH", "auth", nil], .whole)
    #expect(
      found == [
        "fail coverage: status NULL is not in the map: its rows go into quarantine | INSERT INTO "
          + "\"public\".\"transaction_state\" (\"id\", \"code\", \"legacy_status\") VALUES (ID, 'CODE', NULL);  "
          + "-- and list it in derive.map.states",
        "fail coverage: status `auth` is not in the map; `AUTH` is, and differs in its bytes: its rows go into "
          + "quarantine | INSERT INTO \"public\".\"transaction_state\" (\"id\", \"code\", \"legacy_status\") VALUES "
          + "(ID, 'CODE', 'auth');  -- and list it in derive.map.states",
      ])
  }

  @Test("a look that was cut says so")
  func cut() throws {
    let found = try coverage(["AUTH"], .statistics(afterMilliseconds: 5000))
    #expect(found.count == 1)
    #expect(found[0].contains("cut after 5000 ms"))
    #expect(try coverage([], .tooMany(1000)).first?.hasPrefix("warn coverage") == true)
  }
}
