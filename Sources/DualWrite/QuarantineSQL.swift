import Derivation

/// The statements of the quarantine.
enum QuarantineSQL {
  /// Puts the keys in `$2` (JSON) with the statuses in `$3`, the positions in `$4` and the reasons in `$5` of slot `$1` under
  /// quarantine.
  static let add = """
    INSERT INTO crossfade.quarantine AS q (slot, key, status, reason, position)
    SELECT $1, k::jsonb, s, r, p::pg_lsn
      FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS u(k, s, p, r) ORDER BY 2
    ON CONFLICT (slot, key) DO UPDATE
       SET status = EXCLUDED.status, reason = EXCLUDED.reason, position = EXCLUDED.position,
           last_seen = clock_timestamp()
    """

  /// Releases the keys in `$2` (JSON) of slot `$1`.
  static let release =
    "DELETE FROM crossfade.quarantine WHERE slot = $1 AND key IN (SELECT unnest($2::text[])::jsonb)"

  /// Releases all of slot `$1`: the table was truncated.
  static let releaseAll = "DELETE FROM crossfade.quarantine WHERE slot = $1"

  /// Puts one key under quarantine for an error of the server.
  static let addFailed = """
    INSERT INTO crossfade.quarantine AS q (slot, key, status, reason, position)
    VALUES ($1, $2::jsonb, NULL, $3, $4::pg_lsn)
    ON CONFLICT (slot, key) DO UPDATE
       SET reason = EXCLUDED.reason, position = EXCLUDED.position, last_seen = clock_timestamp()
    """

  /// Locks the keys in `$2` (JSON) of slot `$1`: what the dual-write adds meanwhile waits, and finds them released or not.
  static let hold = """
    SELECT 1 FROM crossfade.quarantine WHERE slot = $1 AND key IN (SELECT unnest($2::text[])::jsonb)
    ORDER BY key FOR UPDATE
    """

  /// Releases those keys in `$2` (JSON; their columns in `$3`, ...) of slot `$1` whose row is gone or has a value that
  /// the map gives it.
  static func releaseDerived(_ sql: DerivationSQL) -> String {
    let arrays = sql.keyTypes.indices.map { ", $\($0 + 3)::\(sql.keyTypes[$0])[]" }.joined()
    let names = sql.keyTypes.indices.map { "k\($0 + 1)" }
    let match = zip(sql.derive.key, names).map { "t.\($0.quoted) = k.\($1)" }.joined(separator: " AND ")
    let new = "t.\(sql.derive.to.quoted)"
    return """
      DELETE FROM crossfade.quarantine AS q
      USING unnest($2::text[]\(arrays)) AS k(key, \(names.joined(separator: ", ")))
      WHERE q.slot = $1 AND q.key = k.key::jsonb AND NOT EXISTS (
        SELECT FROM \(sql.derive.table.quoted) AS t
        WHERE \(match) AND (\(new) IS NULL OR \(new) IS DISTINCT FROM \(sql.derived)))
      """
  }
}
