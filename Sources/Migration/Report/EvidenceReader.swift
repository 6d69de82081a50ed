public import Derivation
public import Postgres

/// Reads what is on record of a migration: in one snapshot, in a session that cannot write, on a standby too. What a role may
/// not read is said to be so, and the rest is read.
public struct EvidenceReader {
  let definition: SlotDefinition
  let connection: Connection

  /// Why there is nothing to tell.
  public enum Outcome: Sendable {
    /// What there is.
    case evidence(Evidence)
    /// No migration of this slot was ever begun here.
    case nothing
  }

  /// A reader of a slot's account, on a session of its own.
  public init(_ definition: SlotDefinition, connection: Connection) {
    self.definition = definition
    self.connection = connection
  }

  /// Reads it.
  public func read() throws(PostgresError) -> Outcome {
    try connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", purpose: Self.purpose) {
      () throws(PostgresError) -> Outcome in
      // One form of every time and text, whatever the role's settings.
      try connection.query(
        "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true), "
          + "set_config('IntervalStyle', 'postgres', true)", purpose: Self.purpose)
      let tables = try ReportTables.ask(connection)
      guard !tables.isEmpty else { return .nothing }
      let trail =
        tables.isReadable("audit") && tables.isReadable("migration")
        ? try AuditTrail(slot: definition.slot, connection: connection).look() : nil
      if trail == nil, tables.isReadable("audit"), tables.isReadable("migration") { return .nothing }
      let source = ReportSource(
        slot: definition.slot, connection: connection, tables: tables, rows: trail?.rows ?? [])
      let hash = ChainSection(faults: trail?.faults ?? [], rows: trail?.rows, tables: tables)
      let derive = definition.derive
      return .evidence(
        Evidence(
          slot: definition.slot, derivation: "\(derive.table).\(derive.from) -> \(derive.to)",
          sections: [
            try source.migration(definition), source.phases, try source.steps(), source.statements,
            source.lockWaits, try source.backfill(), try source.verifications(), try source.quarantine(),
            try source.direction(), try source.writers(), try source.rehearsals(), source.waysBack,
            hash.section,
          ], faults: hash.faults.map(\.description), end: hash.end))
    }
  }

  static let purpose = "read the account of the migration"
}

/// Which tables of schema crossfade there are, and which of them this role may read.
struct ReportTables {
  private var readable: Set<String> = []
  private var refused: Set<String> = []

  var isEmpty: Bool { readable.isEmpty && refused.isEmpty }

  func isReadable(_ name: String) -> Bool { readable.contains(name) }

  /// Why a table is not read, in a sentence; nil where it is.
  func absence(_ name: String, _ what: String) -> String? {
    if readable.contains(name) { return nil }
    return refused.contains(name)
      ? "Not shown: this role may not read crossfade.\(name)." : "Not yet: \(what)."
  }

  /// Asked of the catalogs, since `to_regclass` fails where the schema may not be used.
  static func ask(_ connection: Connection) throws(PostgresError) -> ReportTables {
    let rows = try connection.query(
      """
      SELECT c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE n.nspname = 'crossfade' AND c.relkind = 'r'
         AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'slot')
      """, purpose: EvidenceReader.purpose)
    var tables = ReportTables()
    for row in 0..<rows.rowCount {
      guard let name = rows[row, 0] else { continue }
      if rows.boolean(row, 1) { tables.readable.insert(name) } else { tables.refused.insert(name) }
    }
    return tables
  }
}

/// What the sections are made from.
struct ReportSource {
  let slot: String
  let connection: Connection
  let tables: ReportTables
  let rows: [AuditTrail.Row]

  /// Rows of a query with the slot as its parameter, its columns as titles. Columns are texts, but for those of whole numbers.
  func table(_ sql: String, numbers: Set<String> = []) throws(PostgresError) -> Evidence.Table {
    let found = try connection.query(sql, [.text(slot)], purpose: EvidenceReader.purpose)
    let columns = (0..<found.columnCount).map { found.name(ofColumn: $0) }
    let cells = (0..<found.rowCount).map { row in
      columns.indices.map { column -> Evidence.Cell in
        numbers.contains(columns[column])
          ? .optional(found.integer(row, column)) : .optional(found[row, column])
      }
    }
    return Evidence.Table(columns: columns, rows: cells)
  }

  /// The one row of a query, a fact a column; none where there is no row.
  func facts(_ sql: String, numbers: Set<String> = []) throws(PostgresError) -> [Evidence.Fact] {
    let found = try table(sql, numbers: numbers)
    return found.rows.first.map { row in
      zip(found.columns, row).map { Evidence.Fact($0, $1) }
    } ?? []
  }

  static func time(_ column: String) -> String {
    "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')"
  }
}
