package import Postgres

/// Whether partitions hold their columns where the table has them. Up to 14 a partition that does not is sent wrongly at
/// times: pgoutput keeps a map from its columns to the table's, and frees it when anybody's DDL reaches the walsender in
/// the middle of a row (`pgoutput.c rel_sync_cache_relation_cb`). The row then comes with its values in the wrong columns,
/// or the walsender crashes, and the whole server with it. From 15 on the callback only marks the entry.
package enum PartitionLayout {
  /// The partitions that are laid out otherwise than their table, the first ten; none where the server does not mind.
  package static func others(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> [String] {
    guard connection.serverVersion.major < 15 else { return [] }
    // A dropped column keeps its place, under a name with its number: it is compared like any other.
    let rows = try connection.query(
      """
      WITH layouts AS (
        SELECT t.relid, (SELECT array_agg(ROW(a.attnum, a.attname, a.atttypid, a.attlen, a.attalign)::text ORDER BY a.attnum)
                 FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.relid AND a.attnum > 0) AS layout
          FROM pg_catalog.pg_partition_tree($1::oid::regclass) t WHERE t.isleaf OR t.relid = $1::oid)
      SELECT format('%I.%I', n.nspname, c.relname) FROM layouts l, layouts r, pg_catalog.pg_class c, pg_catalog.pg_namespace n
       WHERE r.relid = $1::oid AND l.relid <> r.relid AND l.layout IS DISTINCT FROM r.layout AND c.oid = l.relid
         AND n.oid = c.relnamespace ORDER BY 1 LIMIT 10
      """, [.integer(oid)], purpose: "compare the partitions' columns with the table's")
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }

  /// What may happen, after the partition's name.
  package static let danger =
    "has its columns in other places than the table: up to PostgreSQL 14 the server then sends rows with values in the wrong "
    + "columns, or crashes, when DDL runs beside them"

  /// How to get out of it.
  package static let remedy =
    "upgrade to PostgreSQL 15; or detach the partition and make it anew with the table's columns in the table's places "
    + "(dropped ones too: add them, then drop them)"
}
