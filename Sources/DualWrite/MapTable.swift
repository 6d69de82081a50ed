public import Derivation
public import Postgres

/// What the target's catalogs and map table say.
public enum MapTable {
  /// The map as it stands.
  public static func load(
    _ map: SlotDefinition.Map, on connection: Connection
  ) throws(PostgresError) -> StateMap {
    let rows = try connection.query(
      """
      SELECT \(map.id.quoted)::text, \(map.code.quoted)::text, \(map.status.quoted)::text \
      FROM \(map.table.quoted) ORDER BY 1
      """, purpose: "read the state map \(map.table)")
    return StateMap(
      rows: (0..<rows.rowCount).map { row in
        StateRow(
          id: rows[row, 0].map { ExactText($0) }, code: rows[row, 1].map { ExactText($0) },
          status: rows[row, 2].map { ExactText($0) })
      })
  }

  /// The types of the key columns, in the key's order; fewer when a column is missing.
  public static func keyTypes(
    _ derive: SlotDefinition.Derive, on connection: Connection
  ) throws(PostgresError) -> [String] {
    var types: [String] = []
    for column in derive.key {
      if let type = try columnType(column, of: derive.table, on: connection) { types.append(type) }
    }
    return types
  }

  /// A column's type as PostgreSQL spells it, nil when there is no such column.
  public static func columnType(
    _ column: Identifier, of table: QualifiedName, on connection: Connection
  ) throws(PostgresError) -> String? {
    try connection.query(
      """
      SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
      """, [.text(table.schema.name), .text(table.name.name), .text(column.name)],
      purpose: "look up column \(column) of \(table)")[0, 0]
  }
}
