import Derivation
import Postgres

/// Which of the key's columns decide the partition.
///
/// A row that changes partition comes as a delete and an insert, one right after the other; in a table without partitions these
/// are what they say.
struct PartitionKey: Equatable, Sendable {
  /// For each column of the key, whether it is one of the partition key's, at any level.
  let columns: [Bool]

  /// Whether a row that came under the second key right after one went under the first may be the same row.
  ///
  /// It must differ in a column that decides the partition and in no other; where no such column is in the key, in none. What
  /// cannot be told apart from a delete and an insert is taken for these.
  func mayBeOne(_ gone: KeyBytes, _ come: KeyBytes) -> Bool {
    let (gone, come) = (Self.parts(gone), Self.parts(come))
    guard gone.count == columns.count, come.count == columns.count else { return false }
    guard columns.contains(true) else { return gone == come }
    var moved = false
    var stays = false
    for (place, decides) in columns.enumerated() {
      if decides {
        moved = moved || gone[place] != come[place]
      } else if gone[place] == come[place] {
        stays = true
      } else {
        return false
      }
    }
    return moved && stays
  }

  /// The columns of a key: each stands behind its length.
  private static func parts(_ key: KeyBytes) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    var rest = key[...]
    while rest.count >= 4 {
      let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      parts.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return parts
  }

  /// Looks it up; nil where the table has no partitions.
  static func find(_ derive: SlotDefinition.Derive, on connection: Connection) throws(PostgresError)
    -> PartitionKey?
  {
    let purpose = "look up the partition key"
    let table = Parameter.text(derive.table.quoted)
    guard
      try connection.query(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table WHERE partrelid = to_regclass($1))",
        [table],
        purpose: purpose
      ).boolean(0, 0)
    else { return nil }
    let rows = try connection.query(
      """
      SELECT DISTINCT a.attname::text
        FROM pg_catalog.pg_partition_tree(to_regclass($1)) AS p
        JOIN pg_catalog.pg_partitioned_table AS t ON t.partrelid = p.relid
       CROSS JOIN LATERAL unnest(t.partattrs::int2[]) AS n(number)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.partrelid AND a.attnum = n.number
      """, [table], purpose: purpose)
    let names = Set((0..<rows.rowCount).compactMap { rows[$0, 0] })
    return PartitionKey(columns: derive.key.map { names.contains($0.name) })
  }
}
