import Derivation
import DualWrite
import Postgres

/// The map table and what stands in it.
struct MapFacts: Equatable, Sendable {
  /// Nil when there is no such table.
  var table: TableFacts?
  /// Its rows; nil when they could not be read.
  var rows: StateMap?

  func idType(_ map: SlotDefinition.Map) -> String? { table?.column(map.id)?.type }

  /// - Parameter needsKey: whether a foreign key to it is wanted.
  func findings(_ map: SlotDefinition.Map, role: String, needsKey: Bool = false) -> [Finding] {
    guard let table else {
      return [
        .fail(
          "map table", "\(map.table) does not exist",
          fix: "crossfade expand SLOT  -- makes it from derive.map.states",
          step: map.states.isEmpty ? nil : "expand.map")
      ]
    }
    let columns = [map.id, map.code, map.status]
    let absent = columns.filter { table.column($0) == nil }
    guard absent.isEmpty else {
      return [
        .fail(
          "map table", "\(map.table) has no column \(Self.list(absent))",
          fix: "name its columns in derive.map.id, code and status")
      ]
    }
    let hidden = columns.filter { table.column($0)?.maySelect == false }
    guard hidden.isEmpty else {
      return [
        .fail(
          "map table", "\(role) may not read \(Self.list(hidden)) of \(map.table)",
          fix: "GRANT SELECT ON \(map.table.quoted) TO \(SQLText.identifier(role));")
      ]
    }
    return [.pass("map table", "\(map.table)"), unique(map, table, needsKey)] + content(map)
  }

  private func unique(_ map: SlotDefinition.Map, _ table: TableFacts, _ needsKey: Bool) -> Finding {
    let loose = [map.id, map.status].filter { !table.isUnique($0) }
    guard loose.isEmpty else {
      let what = "nothing keeps \(Self.list(loose)) of \(map.table) from standing twice"
      let fix = loose.map { "CREATE UNIQUE INDEX ON \(map.table.quoted) (\($0.quoted));" }.joined(
        separator: " ")
      return needsKey && loose.contains(map.id)
        ? .fail("map's uniqueness", "\(what): `constrain` can add no foreign key to it", fix: fix)
        : .warn("map's uniqueness", what, fix: fix)
    }
    return .pass("map's uniqueness", "\(map.id) and \(map.status) are unique")
  }

  private func content(_ map: SlotDefinition.Map) -> [Finding] {
    guard let rows else { return [] }
    let problems = rows.problems
    var findings: [Finding] = problems.map { problem in
      .fail("map", "\(problem)", fix: "each status in one row of \(map.table) with one id and one code")
    }
    if rows.rows.isEmpty {
      findings.append(
        .fail(
          "map", "\(map.table) is empty", fix: "crossfade expand SLOT  -- fills it from derive.map.states",
          step: map.states.isEmpty ? nil : "expand.states"))
    } else if problems.isEmpty {
      findings.append(.pass("map", "\(rows.rows.count) states, each status there and back"))
    }
    guard !map.states.isEmpty, !rows.rows.isEmpty else { return findings }
    let differences = StateMapDifference.between(expected: map.states, found: rows.rows)
    if differences.isEmpty {
      findings.append(.pass("map and definition", "both list the same \(map.states.count) states"))
    }
    return findings + differences.map { Self.finding($0, map) }
  }

  private static func finding(_ difference: StateMapDifference, _ map: SlotDefinition.Map) -> Finding {
    let subject = "map and definition"
    switch difference {
    case .missing(let state):
      return .fail(
        subject, "state \(state.code) of the definition is not in \(map.table)",
        fix: "crossfade expand SLOT  -- adds it", step: "expand.states")
    case .unexpected(let row):
      return .warn(
        subject, "\(map.table) also holds \(shown(row)), which the definition does not list",
        fix: "list it in derive.map.states")
    case .different(let expected, let found):
      return .fail(
        subject, "\(map.table) holds \(shown(found)), the definition says \(shown(StateRow(expected)))",
        fix: "make both say the same; rows derived meanwhile need a backfill --restart")
    }
  }

  private static func shown(_ row: StateRow) -> String {
    "\(row.id?.string ?? "NULL") \(row.code?.string ?? "NULL") for "
      + (row.status.map { SQLText.literal($0.string) } ?? "NULL")
  }

  private static func list(_ names: [Identifier]) -> String {
    names.map(\.description).joined(separator: ", ")
  }
}

extension MapFacts {
  static func ask(_ map: SlotDefinition.Map, _ connection: Connection) throws(PostgresError) -> MapFacts {
    guard let table = try TableFacts.ask(map.table, connection) else { return MapFacts() }
    let readable = [map.id, map.code, map.status].allSatisfy { table.column($0)?.maySelect == true }
    return MapFacts(table: table, rows: readable ? try MapTable.load(map, on: connection) : nil)
  }
}
