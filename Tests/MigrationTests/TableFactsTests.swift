import Capture
import Derivation
import DualWrite
import Testing

@testable import Migration

@Suite("What check says of the table") struct TableFactsTests {
  private func problems(_ change: (inout TableFacts) -> Void) throws -> [String] {
    Fixture.lines(changed(Fixture.table, change).findings(try Fixture.derive()).filter { $0.level != .pass })
  }

  @Test("the ledger's table passes")
  func good() throws {
    #expect(
      Fixture.lines(Fixture.table.findings(try Fixture.derive())) == [
        "pass table: public.transactions is a permanent table",
        "pass row security: hides nothing from this role",
        "pass replica identity: by id", "pass key: (id) by primary key transactions_pkey",
      ])
  }

  @Test("views, unlogged tables and row security fail")
  func kinds() throws {
    #expect(
      try problems { $0.kind = "v" }.first?.hasPrefix("fail table: public.transactions is not a table")
        == true)
    #expect(try problems { $0.persistence = "u" }.first?.contains("SET LOGGED") == true)
    #expect(try problems { $0.rowSecurity = true }.first?.hasPrefix("fail row security") == true)
  }

  @Test("no identity fails before the application's updates do")
  func identity() throws {
    let bare = try problems { $0.indexes = [] }
    #expect(
      bare == [
        "fail replica identity: public.transactions has none: once published, the application's updates and deletes fail "
          + "| ALTER TABLE \"public\".\"transactions\" ADD PRIMARY KEY (id);  -- or REPLICA IDENTITY FULL",
        "fail key: no unique index is on exactly (id) "
          + "| CREATE UNIQUE INDEX CONCURRENTLY ON \"public\".\"transactions\" (id);",
      ])
    #expect(try problems { $0.identity = "n" }.count == 1)
    #expect(try problems { $0.identity = "f" }.isEmpty)
    #expect(
      try problems { $0.barePartitions = ["p1"] }.first?.contains("ALTER TABLE p1 REPLICA IDENTITY FULL")
        == true)
  }

  @Test("an identity without the slot's key would lose deletes")
  func otherKey() throws {
    let found = try problems {
      $0.indexes = [
        .init(name: "pk", columns: ["ref"], isPrimary: true), .init(name: "by_id", columns: ["id"]),
      ]
    }
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("fail replica identity: it lacks key column id"))
  }

  @Test("a key that may be NULL or stand twice fails")
  func uniqueness() throws {
    #expect(try problems { $0.columns[0].isNotNull = false }.first?.contains("id may be NULL") == true)
    #expect(
      try problems { $0.indexes[0].isUnique = false }.first?.hasPrefix("fail key: no unique index") == true)
    #expect(try problems { $0.indexes[0].columns = ["id", "day"] }.count == 1)
    #expect(
      try problems { $0.columns.removeFirst() }.last?.hasPrefix(
        "fail key: public.transactions has no column id") == true)
  }

  private func columns(_ change: (inout ColumnJudge) -> Void) throws -> [String] {
    let judge = ColumnJudge(
      table: Fixture.table, derive: try Fixture.derive(), mapType: "bigint", role: "crossfade")
    return Fixture.lines(changed(judge, change).findings.filter { $0.level != .pass })
  }

  @Test("old and new column: there, plain, of the map's type")
  func judgedColumns() throws {
    #expect(try columns { _ in }.isEmpty)
    #expect(
      try columns {
        $0.table.columns[1].type = "character(12)"
        $0.table.columns[1].streamed = .padded
      } == [
        "fail old column: status is character(12): the stream sends its values padded, and SQL compares them without, so no "
          + "change would find its status in the map | ALTER TABLE \"public\".\"transactions\" ALTER COLUMN \"status\" "
          + "TYPE varchar(12);  -- rewrites the table and its indexes under ACCESS EXCLUSIVE; or name another column in derive.from"
      ])
    #expect(
      try columns { $0.table.columns[1].isDeterministic = false }.first?.hasPrefix("warn old column") == true)
    #expect(
      try columns { $0.table.columns[1].isGenerated = true }.first?.hasPrefix("fail old column") == true)
    #expect(try columns { $0.table.columns.remove(at: 1) }.first?.hasPrefix("fail old column") == true)
    #expect(try columns { $0.table.columns.removeLast() }.first?.contains("crossfade expand SLOT") == true)
    #expect(
      try columns { $0.mapType = "uuid" }.first?.hasPrefix(
        "fail new column: state_id is bigint, the map's id is uuid")
        == true)
    #expect(try columns { $0.table.columns[2].isNotNull = true }.first?.contains("DROP NOT NULL") == true)
    #expect(try columns { $0.table.columns[2].hasDefault = true }.first?.contains("DROP DEFAULT") == true)
    #expect(
      try columns { $0.table.columns[0].isGenerated = true }.first?.hasPrefix("fail generated columns")
        == true)
  }

  @Test("missing privileges give one grant for all of them")
  func privileges() throws {
    let found = try columns {
      $0.table.columns[1].maySelect = false
      $0.table.columns[2].mayUpdate = false
    }
    #expect(
      found == [
        "fail privileges: crossfade may not SELECT status nor UPDATE state_id "
          + "| GRANT SELECT (\"status\"), UPDATE (\"state_id\") ON \"public\".\"transactions\" TO \"crossfade\";"
      ])
  }

  @Test("the old column is written from the cutover on: until then that is a warning, after it a failure")
  func oldColumn() throws {
    let grant = "GRANT UPDATE (\"status\") ON \"public\".\"transactions\" TO \"crossfade\";"
    #expect(
      try columns { $0.table.columns[1].mayUpdate = false } == [
        "warn privileges: crossfade may not UPDATE status: from the cutover on both columns are written | \(grant)"
      ])
    let turned = try columns {
      $0.direction = .both
      $0.table.columns[1].mayUpdate = false
    }
    #expect(turned == ["fail privileges: crossfade may not UPDATE status | \(grant)"])
    let both = try columns {
      $0.table.columns[1].mayUpdate = false
      $0.table.columns[2].mayUpdate = false
    }
    #expect(
      both == [
        "fail privileges: crossfade may not UPDATE state_id "
          + "| GRANT UPDATE (\"state_id\", \"status\") ON \"public\".\"transactions\" TO \"crossfade\";"
      ])
  }

  @Test("triggers are listed")
  func triggers() {
    #expect(Fixture.lines(TriggerFacts(triggers: []).finding) == "pass triggers: none fires on our updates")
    let found = TriggerFacts(triggers: [
      .init(name: "touch", table: "transactions", function: "set_updated_at", hasCondition: false)
    ]).finding
    #expect(found.level == .warn)
    #expect(found.found.contains("touch on transactions (set_updated_at)"))
    let later = TriggerFacts(
      triggers: [],
      later: [.init(name: "told", table: "transactions", function: "tell", hasCondition: true)]
    ).finding
    #expect(
      later.found.hasPrefix(
        "from the cutover on each row whose old column follows the new one fires told on transactions "
          + "(tell, with a WHEN condition)"))
  }
}
