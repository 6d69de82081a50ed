import Capture
import Derivation
import Postgres

/// The partitions of the table, as far as they make steps more, or impossible.
struct PartitionFacts: Equatable, Sendable {
  /// How the table is partitioned: `RANGE (created_at)`; nil for a table that is not.
  var key: String?
  /// Partitions that hold rows.
  var leaves = 0
  /// Of these, foreign tables: what they hold is in another server.
  var foreign: [String] = []
  /// Of these, those laid out otherwise than the table, on a server that sends their rows wrongly (up to 14).
  var others: [String] = []

  func findings(_ table: QualifiedName) -> [Finding] {
    let subject = "partitions"
    guard let key else { return [] }
    guard foreign.isEmpty else {
      return [
        .fail(
          subject,
          "\(foreign.joined(separator: ", ")) are foreign tables: their changes are not in this server's WAL",
          fix: "ALTER TABLE \(table.quoted) DETACH PARTITION ...;  -- and migrate them where they are")
      ]
    }
    guard others.isEmpty else {
      return [
        .fail(
          subject, "\(others.joined(separator: ", ")) \(PartitionLayout.danger)", fix: PartitionLayout.remedy)
      ]
    }
    return [
      .pass(
        subject,
        "\(leaves), by \(key): a lock on the table is taken on each; the index is built on each by itself, then attached"
      )
    ]
  }
}

extension PartitionFacts {
  static func ask(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> PartitionFacts {
    let rows = try connection.query(
      """
      SELECT pg_get_partkeydef($1::oid), count(*) FILTER (WHERE t.isleaf AND t.level > 0),
             to_json(array_remove(array_agg(CASE WHEN c.relkind = 'f' THEN c.oid::regclass::text END ORDER BY c.oid), NULL))
        FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
      """, [.integer(oid)], purpose: "look up the partitions")
    return PartitionFacts(
      key: rows[0, 0], leaves: Int(rows.integer(0, 1) ?? 0),
      foreign: rows[0, 2].flatMap(JSONStrings.parse) ?? [],
      others: try PartitionLayout.others(oid, connection))
  }
}
