import Derivation
import Postgres

extension MapTable {
  /// As `columnType`, without a length or precision: a cast to it cuts nothing off.
  static func bareType(
    _ column: Identifier, of table: QualifiedName, on connection: Connection
  ) throws(PostgresError) -> String? {
    try connection.query(
      """
      SELECT pg_catalog.format_type(a.atttypid, -1) FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
      """, [.text(table.schema.name), .text(table.name.name), .text(column.name)],
      purpose: "look up column \(column) of \(table)")[0, 0]
  }

  /// The text of a column's default where it is a constant; nil otherwise.
  static func constantDefault(
    _ column: Identifier, of table: QualifiedName, on connection: Connection
  ) throws(PostgresError) -> String? {
    let purpose = "look up the default of column \(column) of \(table)"
    let rows = try connection.query(
      """
      SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef AS d
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attgenerated = ''
         AND pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ $4
      """,
      [
        .text(table.schema.name), .text(table.name.name), .text(column.name),
        // A literal and casts: nothing that would do something.
        .text(#"^'([^']|'')*'(::[a-z0-9_". ]+)*$"#),
      ], purpose: purpose)
    guard rows.rowCount == 1, let literal = rows[0, 0] else { return nil }
    return try connection.query("SELECT (\(literal))::text", purpose: purpose)[0, 0]
  }
}
