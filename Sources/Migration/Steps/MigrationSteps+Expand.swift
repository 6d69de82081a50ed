import Derivation
import DualWrite
import Postgres

/// The new representation, beside the old one.
extension MigrationSteps {
  /// The control schema: state, audit, checkpoint.
  var makeSchema: Step {
    let names = MigrationTables.all.map { SQLText.literal($0.name) }.joined(separator: ", ")
    return Step(
      id: "expand.schema", phase: .expanded, title: "make schema crossfade and its tables",
      statements: (facts.hasSchema ? [] : [ControlSchema.schema]) + facts.missingTables.flatMap(\.statements),
      lockTimeout: lockTimeout,
      probe: "SELECT count(*) = \(MigrationTables.all.count) FROM pg_catalog.pg_tables "
        + "WHERE schemaname = 'crossfade' AND tablename IN (\(names))",
      wayBackNote: "the schema stays: it holds the audit trail")
  }

  static func mapTitle(_ map: QualifiedName) -> String { "make map table \(map)" }

  /// The table of states.
  var makeMap: Step {
    let map = derive.map
    return step(
      "expand.map", .expanded, Self.mapTitle(map.table),
      [
        """
        CREATE TABLE \(map.table.quoted) (
          \(map.id.quoted) bigint PRIMARY KEY,
          \(map.code.quoted) text NOT NULL UNIQUE,
          \(map.status.quoted) text UNIQUE
        )
        """
      ], locks: [], probe: CatalogProbe.table(map.table), wayBack: ["DROP TABLE \(map.table.quoted)"],
      wayBackLocks: [.init(.accessExclusive, on: map.table.quoted)])
  }

  /// Its rows: those that it lacks.
  var addStates: Step {
    let map = derive.map
    let missing = facts.hasMap ? facts.missingStates : map.states
    let rows = missing.map { state in
      "(\(SQLText.literal(state.id.string)), \(SQLText.literal(state.code.string)), "
        + "\(state.status.map { SQLText.literal($0.string) } ?? "NULL"))"
    }
    let columns = [map.id, map.code, map.status].map(\.quoted).joined(separator: ", ")
    let ids = missing.map { SQLText.literal($0.id.string) }.joined(separator: ", ")
    let wanted = map.states.map { "(\(SQLText.literal($0.id.string)))" }.joined(separator: ", ")
    var step = step(
      "expand.states", .expanded,
      "add \(Self.count(of: missing)) to \(map.table)",
      rows.isEmpty
        ? []
        : ["INSERT INTO \(map.table.quoted) (\(columns)) VALUES\n  " + rows.joined(separator: ",\n  ")],
      locks: [.init(.rowExclusive, on: map.table.quoted)],
      probe: wanted.isEmpty
        ? "SELECT true"
        : "SELECT NOT EXISTS (SELECT FROM (VALUES \(wanted)) AS w (id) WHERE NOT EXISTS (SELECT FROM "
          + "\(map.table.quoted) AS m WHERE m.\(map.id.quoted)::text = w.id))",
      wayBack: ids.isEmpty ? [] : ["DELETE FROM \(map.table.quoted) WHERE \(map.id.quoted) IN (\(ids))"])
    step.wayBackAddsUp = true
    return step
  }

  private static func count(of states: [State]) -> String {
    switch states.count {
    case 0: "states"
    case 1: "1 state"
    case let count: "\(count) states"
    }
  }

  /// The new column. Nullable, without default: the catalog changes, no row is touched.
  var addColumn: Step {
    step(
      "expand.column", .expanded, "add nullable column \(derive.to) to \(derive.table)",
      ["ALTER TABLE \(table) ADD COLUMN \(derive.to.quoted) \(facts.idType)"],
      locks: [.init(.accessExclusive, on: table)], hazards: [.accessExclusiveLock],
      probe: CatalogProbe.column(derive.to, of: derive.table),
      wayBack: ["ALTER TABLE \(table) DROP COLUMN \(derive.to.quoted)"],
      wayBackNote: "its values are gone; each is derived from \(derive.from), and can be again")
  }
}
