import Derivation

/// The statements of a look at the target.
enum TargetSQL {
  /// Rows by key: number, whether there is one, whether the status is NULL, the status as its type writes it (`format`
  /// calls the output function; a cast would cut a `char(n)`'s padding), as text, the new column, and whether the
  /// transaction in `$1` (32 bits, or NULL) is seen. The keys follow, an array a column.
  ///
  /// A key is looked up as SQL calls it equal, and must then be the same in every byte (`record_image_eq`): to the log
  /// 1.0 and 1.00, or a citext's 'Abc' and 'abc', are two rows, and the change from one to the other a change of the key.
  ///
  /// A number is completed to 64 bits by its distance from the snapshot's xmax (`varsup.c`): right for a transaction of
  /// the last two thousand million.
  static func look(_ derive: SlotDefinition.Derive, _ types: [String]) -> String {
    let arrays = types.indices.map { "$\($0 + 2)::\(types[$0])[]" }.joined(separator: ", ")
    let names = types.indices.map { "k\($0 + 1)" }
    let match = zip(derive.key, names).map { "t.\($0.quoted) = k.\($1)" }.joined(separator: " AND ")
    let held = derive.key.map { "t.\($0.quoted)" }.joined(separator: ", ")
    let same =
      "pg_catalog.record_image_eq(ROW(\(held)), ROW(\(names.map { "k.\($0)" }.joined(separator: ", "))))"
    let from = "t.\(derive.from.quoted)"
    let isThere = derive.key.first.map { "t.\($0.quoted) IS NOT NULL" } ?? "false"
    return """
      WITH now AS MATERIALIZED (SELECT pg_catalog.pg_current_snapshot() AS s),
      bounds AS (SELECT s, pg_catalog.pg_snapshot_xmax(s)::text::bigint AS xmax FROM now)
      SELECT k.n, \(isThere), \(from) IS NULL, pg_catalog.format('%s', \(from)), \(from)::text, t.\(derive.to.quoted)::text,
             k.x IS NULL OR pg_catalog.pg_visible_in_snapshot(
               (b.xmax + (((k.x - (b.xmax & 4294967295) + 2147483648) & 4294967295) - 2147483648))::text::xid8, b.s)
        FROM bounds AS b, unnest($1::bigint[], \(arrays)) WITH ORDINALITY AS k(x, \(names.joined(separator: ", ")), n)
        LEFT JOIN \(derive.table.quoted) AS t ON \(match) AND \(same)
      """
  }

  /// How far the WAL reaches, on a standby as far as it is replayed.
  static let position = """
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_insert_lsn() END
    """
}
