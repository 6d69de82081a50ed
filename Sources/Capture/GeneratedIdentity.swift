package import Postgres

/// A generated column in the replica identity. From 18 on an update or delete of a published table fails in the
/// application unless the publication sends it too (`execReplication.c CheckCmdReplicaIdentity`).
package struct GeneratedIdentity: Equatable, Sendable {
  /// The table, or the partition, that has it.
  package var table: String
  package var column: String
  /// A virtual one cannot be published at all.
  package var isVirtual: Bool

  /// The first one of a table or its partitions, a virtual one before all others; nil where the server does not mind.
  package static func ask(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> GeneratedIdentity?
  {
    guard connection.serverVersion.major >= 18 else { return nil }
    let rows = try connection.query(
      """
      SELECT c.oid::regclass, a.attname, a.attgenerated = 'v'
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
       WHERE (c.oid = $1::oid OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))
         AND c.relreplident = 'f' AND a.attgenerated <> ''
       ORDER BY 3 DESC, 1, 2 LIMIT 1
      """, [.integer(oid)], purpose: "look for generated columns in the replica identity")
    guard let table = rows[0, 0], let column = rows[0, 1] else { return nil }
    return GeneratedIdentity(table: table, column: column, isVirtual: rows.boolean(0, 2))
  }
}
