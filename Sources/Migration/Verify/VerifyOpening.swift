import Derivation
import DualWrite
import PGOutput
import Postgres

/// What a verification stands on: a session, the map as it was found, where progress is kept.
struct OpenedVerification {
  var definition: SlotDefinition
  var session: VerifySession
  var map: StateMap
  var fingerprint: String
  /// Nil where no progress can be kept; `notes` says why.
  var store: VerifyStore?
  var notes: [String]
  /// What is wrong with the map, a sentence each.
  var mapProblems: [String]
  /// Nil where the quarantine may not be read.
  var quarantine: QuarantineLook?
}

/// Opens a session for looking at the table.
struct VerifyOpening {
  private let verify: Verify
  private var definition: SlotDefinition { verify.definition }

  init(_ verify: Verify) { self.verify = verify }

  func open() throws(MigrationError) -> OpenedVerification {
    let connection = try MigrationError.asking { () throws(PostgresError) in try connect() }
    var notes: [String] = []
    try refuseAtRest(connection, &notes)
    try refuseUnexpanded(connection)
    let map = try self.map(on: connection)
    return try MigrationError.asking { () throws(PostgresError) in
      let quarantined = try mayReadQuarantine(connection, &notes)
      let table = try TableLook(
        definition.derive, quarantineOf: quarantined ? definition.slot : nil, on: connection,
        interrupt: verify.interrupt)
      if !table.sql.readsVersions {
        notes.append(
          "this role may not read xmin, so versions of a row are told apart by their values: "
            + "GRANT SELECT (xmin) ON \(definition.derive.table.quoted) mends that")
      }
      let session = VerifySession(
        table, options: verify.options, interrupt: verify.interrupt, applied: verify.applied)
      if try verify.applied(connection, .invalid) == .invalid {
        notes.append(
          "capture of slot \(definition.slot) has not begun, so nothing tells what is on its way: "
            + "start `crossfade run`")
      }
      var store: VerifyStore?
      if case .whole = verify.options.scope {
        if let reason = try VerifySchema.ensure(on: connection) {
          notes.append("no progress is kept, a run that ends early begins anew: \(reason)")
        } else {
          store = VerifyStore(slot: definition.slot, connection: connection)
        }
      }
      return OpenedVerification(
        definition: definition, session: session, map: map,
        fingerprint: try Fingerprint.of(definition.derive, map, on: connection), store: store, notes: notes,
        mapProblems: problems(of: map),
        quarantine: quarantined ? QuarantineLook(session: session, slot: definition.slot) : nil)
    }
  }

  /// Once the old column is kept in step no longer, that it differs says nothing.
  private func refuseAtRest(_ connection: Connection, _ notes: inout [String]) throws(MigrationError) {
    let direction: Direction
    do throws(PostgresError) {
      direction = try Direction.load(slot: definition.slot, on: connection)
    } catch {
      guard error.sqlState == .insufficientPrivilege else { throw .postgres(error) }
      notes.append(
        "whether the old column is retired was not looked at: this role may not read crossfade.direction")
      return
    }
    guard direction.standing == .rest || direction.asked == .rest else { return }
    throw .notReady(
      what: "\(definition.derive.from) is retired, and kept in step no longer: there is nothing to compare",
      hint: "`crossfade rollback SLOT` brings it back, in step")
  }

  private func refuseUnexpanded(_ connection: Connection) throws(MigrationError) {
    let derive = definition.derive
    let map = derive.map
    for (table, columns) in [
      (derive.table, derive.key + [derive.from, derive.to]), (map.table, [map.id, map.code, map.status]),
    ] {
      let rows = try MigrationError.asking { () throws(PostgresError) in
        try connection.query(
          """
          SELECT a.attname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE n.nspname = $1 AND c.relname = $2
          """, [.text(table.schema.name), .text(table.name.name)], purpose: "look up table \(table)")
      }
      let hint =
        "`crossfade expand SLOT` makes what is missing; `crossfade check SLOT` lists it"
      guard rows.rowCount > 0 else { throw .notReady(what: "table \(table) does not exist", hint: hint) }
      let found = (0..<rows.rowCount).compactMap { rows[$0, 0] }
      if let column = columns.first(where: { !found.contains($0.name) }) {
        throw .notReady(what: "\(table) has no column \(column)", hint: hint)
      }
    }
  }

  private func connect() throws(PostgresError) -> Connection {
    let connection = try Connection(
      verify.options.on ?? definition.source.revealed,
      options: .init(
        applicationName: "crossfade verify \(definition.slot)",
        settings: [
          ("lock_timeout", "\(definition.write.lockTimeout.count)"),
          ("statement_timeout", "\(definition.write.statementTimeout.count)"),
          ("synchronous_commit", "off"), ("default_transaction_isolation", "read committed"),
          ("datestyle", "ISO"), ("intervalstyle", "postgres"), ("bytea_output", "hex"),
          ("search_path", "pg_catalog"),
          // The map may be hashed; the ledger's rows are still found in the key's order.
        ] + DerivationSQL.planSettings + [("enable_hashjoin", "on")]), interrupt: verify.interrupt)
    try connection.makeReadOnly()
    return connection
  }

  private func map(on connection: Connection) throws(MigrationError) -> StateMap {
    let map = try MigrationError.asking { () throws(PostgresError) in
      try MapTable.load(definition.derive.map, on: connection)
    }
    // With two rows for a status the derivation itself is an error, and what is right would be chance.
    for case .duplicateStatus(let status, let rows, let ids) in map.problems {
      throw .notReady(
        what: "the map \(definition.derive.map.table) is ambiguous: "
          + StateMapProblem.duplicateStatus(status, rows: rows, ids: ids).description,
        hint: "delete the rows that are too many; `crossfade check` lists them")
    }
    return map
  }

  private func problems(of map: StateMap) -> [String] {
    let listed = definition.derive.map.states
    let differences = listed.isEmpty ? [] : StateMapDifference.between(expected: listed, found: map.rows)
    return map.problems.map(\.description)
      + differences.compactMap { difference in
        switch difference {
        case .missing(let state): "the definition lists id \(state.id), the map has no such row"
        case .different(let state, _): "id \(state.id) is not in the map what the definition lists"
        // A status added since: `quarantine retry` goes that way.
        case .unexpected: nil
        }
      }
  }

  private func mayReadQuarantine(
    _ connection: Connection, _ notes: inout [String]
  ) throws(PostgresError) -> Bool {
    let found = try connection.query(
      """
      SELECT to_regclass('crossfade.quarantine') IS NOT NULL,
             has_table_privilege(to_regclass('crossfade.quarantine')::oid, 'SELECT')
      """, purpose: "look up the quarantine")
    guard found.boolean(0, 0) else { return false }
    if !found.boolean(0, 1) { notes.append("the quarantine was not looked at: this role may not read it") }
    return found.boolean(0, 1)
  }
}
