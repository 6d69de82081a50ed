/// A column as the catalogs have it.
public struct TableColumn: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its type's oid.
  public var typeOID: UInt32
  /// Its type as PostgreSQL spells it.
  public var type: String
  /// The function that writes its binary form (a domain has its base type's); nil when there is none, and text is sent.
  public var sendFunction: String?

  /// The columns of a table among `names` that there are.
  public static func find(
    _ names: [String], schema: String, table: String, on connection: Connection
  ) throws(PostgresError) -> [TableColumn] {
    var columns: [TableColumn] = []
    for name in names {
      let rows = try connection.query(
        """
        SELECT a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod), p.proname
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typsend
         WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
        """, [.text(schema), .text(table), .text(name)],
        purpose: "look up column \(name) of \(schema).\(table)")
      guard rows.rowCount == 1, let oid = rows.integer(0, 0).flatMap({ UInt32(exactly: $0) }) else {
        continue
      }
      columns.append(
        TableColumn(name: name, typeOID: oid, type: rows[0, 1] ?? "unknown", sendFunction: rows[0, 2]))
    }
    return columns
  }
}
