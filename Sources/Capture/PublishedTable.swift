import Postgres

/// What the catalogs say of the table to be published.
struct PublishedTable {
  let oid: Int64
  let partitioned: Bool
  /// Columns whose old values the server sends: the key, or those of the replica identity index.
  let identityColumns: [String]
  let identity: Character
  /// A stored generated column in the identity: from 18 on the publication has to send it.
  let generatedColumn: String?

  /// Looks the table up and refuses it when publishing would break the application: an update or delete on a
  /// published table without replica identity fails in the writing application (pgoutput-facts TC36).
  static func find(
    _ table: CapturePlan.Table, on connection: Connection
  ) throws(CaptureError) -> PublishedTable {
    let name = "\(table.schema).\(table.name)"
    let rows = try connection.asking(
      """
      SELECT c.oid, c.relkind, c.relreplident, c.relpersistence
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2
      """, [.text(table.schema), .text(table.name)], "look up table \(name)")
    guard rows.rowCount == 1, let oid = rows.integer(0, 0) else {
      throw .refused(
        .missingObject(
          what: "table \(name) does not exist",
          hint: "name it as schema.table in derive.table of the slot definition"))
    }
    guard let kind = rows[0, 1], kind == "r" || kind == "p" else {
      throw .refused(
        .missingObject(
          what: "\(name) is not a table", hint: "only tables and partitioned tables can be published"))
    }
    guard rows[0, 3] == "p" else {
      throw .refused(
        .missingObject(
          what: "table \(name) is not permanent", hint: "unlogged and temporary tables are not in the WAL"))
    }
    let identity = rows[0, 2]?.first ?? "d"
    let columns = try identityColumns(oid, identity, on: connection)
    if identity == "n" {
      throw .refused(.replicaIdentity(table: name, what: "its replica identity is NOTHING"))
    }
    if identity != "f", columns.isEmpty {
      throw .refused(
        .replicaIdentity(table: name, what: "it has no primary key and no other replica identity"))
    }
    if kind == "p" { try checkPartitions(oid, name, on: connection) }
    return PublishedTable(
      oid: oid, partitioned: kind == "p", identityColumns: columns, identity: identity,
      generatedColumn: try generatedColumn(oid, on: connection))
  }

  /// The column that has to be published besides; a virtual one cannot be.
  private static func generatedColumn(
    _ oid: Int64, on connection: Connection
  ) throws(CaptureError) -> String? {
    let found: GeneratedIdentity?
    do { found = try GeneratedIdentity.ask(oid, connection) } catch { throw .postgres(error) }
    guard let found, found.isVirtual else { return found?.column }
    throw .refused(
      .generatedIdentity(
        table: found.table, column: found.column,
        grant: "ALTER TABLE \(found.table) REPLICA IDENTITY DEFAULT, or USING INDEX"))
  }

  private static func identityColumns(
    _ oid: Int64, _ identity: Character, on connection: Connection
  ) throws(CaptureError) -> [String] {
    let index = identity == "i" ? "i.indisreplident" : "i.indisprimary"
    let rows = try connection.asking(
      """
      SELECT a.attname FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
       WHERE i.indrelid = $1::oid AND \(index) AND i.indisvalid ORDER BY a.attnum
      """, [.integer(oid)], "look up the replica identity")
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }

  private static func checkPartitions(
    _ oid: Int64, _ name: String, on connection: Connection
  ) throws(CaptureError) {
    let rows = try connection.asking(
      """
      SELECT c.oid::regclass FROM pg_catalog.pg_partition_tree($1::oid::regclass) t
        JOIN pg_catalog.pg_class c ON c.oid = t.relid
       WHERE t.isleaf AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
       LIMIT 1
      """, [.integer(oid)], "look up the partitions of \(name)")
    if let partition = rows[0, 0] {
      throw .refused(
        .replicaIdentity(table: name, what: "its partition \(partition) has no replica identity"))
    }
    let others: [String]
    do { others = try PartitionLayout.others(oid, connection) } catch { throw .postgres(error) }
    if let partition = others.first { throw .refused(.partitionLayout(table: name, partition: partition)) }
  }
}

extension Connection {
  /// A question to the catalogs, in capture's terms of failure.
  func asking(
    _ sql: String, _ parameters: [Parameter] = [], _ purpose: String
  ) throws(CaptureError) -> QueryResult {
    do {
      return try query(sql, parameters, purpose: purpose)
    } catch {
      throw .postgres(error)
    }
  }
}
