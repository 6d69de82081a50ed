import Capture
import Derivation
import Postgres

extension TableFacts {
  /// Nil when there is no such relation.
  static func ask(_ table: QualifiedName, _ connection: Connection) throws(PostgresError) -> TableFacts? {
    let rows = try connection.query(
      """
      SELECT c.oid, c.relkind, c.relpersistence, c.relreplident, pg_get_userbyid(c.relowner),
             pg_has_role(c.relowner, 'USAGE'), row_security_active(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
      """, [.text(table.schema.name), .text(table.name.name)], purpose: "look up table \(table)")
    guard rows.rowCount == 1, let oid = rows.integer(0, 0) else { return nil }
    return TableFacts(
      oid: oid, kind: rows[0, 1] ?? "", persistence: rows[0, 2] ?? "", identity: rows[0, 3] ?? "d",
      owner: rows[0, 4] ?? "", isOwned: rows.boolean(0, 5), rowSecurity: rows.boolean(0, 6),
      indexes: try indexes(oid, connection), columns: try columns(oid, connection),
      barePartitions: try barePartitions(oid, connection),
      generatedIdentity: try GeneratedIdentity.ask(oid, connection))
  }

  static func indexes(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> [Index] {
    let rows = try connection.query(
      """
      SELECT c.relname, i.indisprimary, i.indisreplident,
             i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
             to_json(ARRAY(SELECT a.attname::text FROM generate_series(0, i.indnkeyatts - 1) AS k
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] ORDER BY k))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       WHERE i.indrelid = $1::oid ORDER BY i.indisprimary DESC, c.relname
      """, [.integer(oid)], purpose: "look up the indexes")
    return (0..<rows.rowCount).map { row in
      Index(
        name: rows[row, 0] ?? "", columns: rows[row, 4].flatMap(JSONStrings.parse) ?? [],
        isPrimary: rows.boolean(row, 1), isIdentity: rows.boolean(row, 2), isUnique: rows.boolean(row, 3))
    }
  }

  static func columns(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> [Column] {
    let rows = try connection.query(
      """
      SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
             a.atthasdef AND a.attgenerated = '', coalesce(co.collisdeterministic, true),
             has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
             has_column_privilege(a.attrelid, a.attnum, 'UPDATE'), \(StreamedText.asked)
        FROM pg_attribute a LEFT JOIN pg_collation co ON co.oid = a.attcollation
       WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
      """, [.integer(oid)], purpose: "look up the columns")
    return (0..<rows.rowCount).map { row in
      Column(
        name: rows[row, 0] ?? "", type: rows[row, 1] ?? "", isNotNull: rows.boolean(row, 2),
        isGenerated: rows.boolean(row, 3), hasDefault: rows.boolean(row, 4),
        isDeterministic: rows.boolean(row, 5),
        streamed: rows[row, 8].flatMap { StreamedText(rawValue: $0) }, maySelect: rows.boolean(row, 6),
        mayUpdate: rows.boolean(row, 7))
    }
  }

  private static func barePartitions(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> [String]
  {
    let rows = try connection.query(
      """
      SELECT c.oid::regclass FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
       WHERE t.isleaf AND t.level > 0 AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
             SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) ORDER BY 1 LIMIT 10
      """, [.integer(oid)], purpose: "look up the partitions")
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }
}
