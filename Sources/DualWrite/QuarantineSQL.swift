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

  /// The same for changes that came without one of the columns: keys (JSON) in `$2`, positions in `$3`, reasons in `$4`, the keys'
  /// columns in `$5`, ... Only rows that do not agree as they stand: the others need nobody.
  static func addUnsent(_ sql: DerivationSQL) -> String {
    let new = "t.\(sql.derive.to.quoted)"
    return """
      INSERT INTO crossfade.quarantine AS q (slot, key, status, reason, position)
      SELECT $1, k.key::jsonb, t.\(sql.derive.from.quoted)::text, k.reason, k.position::pg_lsn
        FROM unnest($2::text[], $3::text[], $4::text[], \(sql.keys.arrays(from: 5))) AS k(key, position, reason, \(sql.keys.names))
        JOIN \(sql.derive.table.quoted) AS t ON \(sql.keys.match())
       WHERE \(new) IS NULL OR \(new) IS DISTINCT FROM \(sql.derived) ORDER BY 2
      ON CONFLICT (slot, key) DO UPDATE
         SET status = EXCLUDED.status, reason = EXCLUDED.reason, position = EXCLUDED.position,
             last_seen = clock_timestamp()
      """
  }

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
  /// the map gives it; gives how many, and tells of each row that is there.
  ///
  /// What is told is the last that was said of the row: it is held until the commit, and a row that somebody else holds stays in
  /// quarantine. It is not waited for: the dual-write takes rows first and the quarantine after, we hold that already.
  static func releaseDerived(_ sql: DerivationSQL, isHeard: Bool = true) -> String {
    let (derive, match) = (sql.derive, sql.keys.match())
    let new = "t.\(derive.to.quoted)"
    let told = CorrectionSQL.count(
      where: "r.stands",
      [
        ("cause", "'quarantine'"), ("corrects", "r.position::text"), ("key", "r.key"), ("state", "r.state"),
        ("code", "r.code"), ("status", "r.status"),
      ], isHeard: isHeard)
    return """
      WITH k AS (SELECT * FROM unnest($2::text[], \(sql.keys.arrays(from: 3))) AS u(key, \(sql.keys.names))),
      agreed AS (
        SELECT k.key, \(new)::text AS state, \(CorrectionSQL.code(of: new, derive.map)) AS code,
               t.\(derive.from.quoted)::text AS status
          FROM k JOIN \(derive.table.quoted) AS t ON \(match)
         WHERE \(new) IS NOT NULL AND \(new) IS NOT DISTINCT FROM \(sql.derived)
           FOR NO KEY UPDATE OF t SKIP LOCKED),
      released AS (
        DELETE FROM crossfade.quarantine AS q
        USING (SELECT key, true AS stands, state, code, status FROM agreed
               UNION ALL SELECT k.key, false, NULL, NULL, NULL FROM k
                          WHERE NOT EXISTS (SELECT FROM \(derive.table.quoted) AS t WHERE \(match))) AS d
        WHERE q.slot = $1 AND q.key = d.key::jsonb
        RETURNING q.key, q.position, d.stands, d.state, d.code, d.status)
      SELECT count(*), \(told) FROM released AS r
      """
  }
}
