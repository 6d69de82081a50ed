import Derivation

/// The statements that find out which rows somebody keeps locked, as text. `t` is the ledger's row.
///
/// Both are asked only after a lock was not had in time: a look before each write would cost a row lock and its WAL.
struct HeldSQL {
  let sql: DerivationSQL
  /// Whether one of the two columns is in a key that others may reference, or decides the partition: then an update takes the row's
  /// strongest lock (`heapam.c HeapDetermineColumnsInfo`), and waits for a foreign key's check, too.
  let isOfKey: Bool

  private var source: String {
    let keys = sql.keys
    return """
      (SELECT * FROM unnest(\(keys.arrays())) WITH ORDINALITY AS u(\(keys.names), n) ORDER BY \(keys.order)) AS k
        JOIN \(sql.derive.table.quoted) AS t ON \(keys.match()) AND t.\(sql.derive.to.quoted) IS DISTINCT FROM \(sql.derived)
      """
  }

  /// Of the keys in `$1`, ..., the places (from 1) of those whose row differs and is nobody's: its lock is had, and given back.
  var free: String {
    "SELECT k.n FROM \(source) FOR \(isOfKey ? "" : "NO KEY ")UPDATE OF t SKIP LOCKED"
  }

  /// The places of those whose row differs at all.
  var differing: String { "SELECT k.n FROM \(source)" }

  /// Whose transaction the lock in a row is.
  var holder: String {
    """
    SELECT a.pid, a.application_name FROM \(source)
      JOIN pg_catalog.pg_stat_activity AS a ON t.xmax <> '0'::xid AND a.backend_xid = t.xmax
    """
  }

  /// Whether table `$1` has `$2` or `$3` in a key (`relcache.c RelationGetIndexAttrBitmap`, `INDEX_ATTR_BITMAP_KEY`).
  static let isOfKey = """
    SELECT EXISTS (
      SELECT FROM pg_catalog.pg_attribute AS a
       WHERE a.attname IN ($2, $3)
         AND a.attrelid IN (SELECT to_regclass($1) UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(to_regclass($1)) AS p)
         AND (EXISTS (SELECT FROM pg_catalog.pg_index AS i
                       WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
                         AND a.attnum = ANY (i.indkey::int2[]))
           OR EXISTS (SELECT FROM pg_catalog.pg_partitioned_table AS p
                       WHERE p.partrelid = a.attrelid AND a.attnum = ANY (p.partattrs::int2[]))))
    """

  /// Whether the role may read the rows' `xmax`.
  static let mayAskHolder = "SELECT has_column_privilege(to_regclass($1), 'xmax', 'SELECT')"
}
