import Derivation

/// The statements that find out which rows somebody keeps locked, as text. `t` is the ledger's row.
///
/// Both are asked only after a lock was not had in time: a look before each write would cost a row lock and its WAL.
struct HeldSQL {
  let sql: DerivationSQL

  private var source: String {
    let names = sql.keyTypes.indices.map { "k\($0 + 1)" }
    let arrays = sql.keyTypes.indices.map { "$\($0 + 1)::\(sql.keyTypes[$0])[]" }.joined(separator: ", ")
    let match = zip(sql.derive.key, names).map { "t.\($0.quoted) = k.\($1)" }.joined(separator: " AND ")
    return """
      (SELECT * FROM unnest(\(arrays)) WITH ORDINALITY AS u(\(names.joined(separator: ", ")), n) ORDER BY \(names.joined(separator: ", "))) AS k
        JOIN \(sql.derive.table.quoted) AS t ON \(match) AND t.\(sql.derive.to.quoted) IS DISTINCT FROM \(sql.derived)
      """
  }

  /// Of the keys in `$1`, ..., the places (from 1) of those whose row differs and is nobody's: its lock is had, and given back.
  var free: String { "SELECT k.n FROM \(source) FOR NO KEY UPDATE OF t SKIP LOCKED" }

  /// The places of those whose row differs at all, and whose transaction the lock in it is.
  var differing: String {
    """
    SELECT k.n, a.pid, a.application_name
      FROM \(source)
      LEFT JOIN pg_catalog.pg_stat_activity AS a ON t.xmax <> '0'::xid AND a.backend_xid = t.xmax
    """
  }
}
