/// The statements of the quarantine.
enum QuarantineSQL {
  /// Puts the keys in `$2` (JSON) with the statuses in `$3` and the positions in `$4` of slot `$1` under quarantine.
  static let add = """
    INSERT INTO crossfade.quarantine AS q (slot, key, status, reason, position)
    SELECT $1, k::jsonb, s, 'the map has no such status', p::pg_lsn
      FROM unnest($2::text[], $3::text[], $4::text[]) AS u(k, s, p) ORDER BY 2
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
}
