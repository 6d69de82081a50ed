import Derivation

/// Single rows: those that the server refuses, and those that somebody held.
extension BackfillSQL {
  /// Puts the row `$3`, ... under quarantine with the reason `$2`, and goes on behind it.
  var refuse: String {
    """
    WITH refused AS (
      INSERT INTO crossfade.quarantine AS q (slot, key, status, reason)
      SELECT $1, \(jsonKey), t.\(derive.from.quoted)::text, $2 FROM \(table) AS t
       WHERE (\(tableKeys)) = (\(values(from: 3)))
      ON CONFLICT (slot, key) DO UPDATE
         SET status = EXCLUDED.status, reason = EXCLUDED.reason, last_seen = clock_timestamp()
      RETURNING 1)
    UPDATE crossfade.backfill AS b
       SET last_key = ARRAY[\(keyTypes.indices.map { "($\($0 + 3)::\(keyTypes[$0]))::text" }.joined(separator: ", "))],
           rows = b.rows + (SELECT count(*) FROM refused), refused = b.refused + (SELECT count(*) FROM refused),
           page_unmapped = 0, updated_at = clock_timestamp()
     WHERE b.slot = $1 RETURNING to_json(b.last_key), (SELECT count(*) FROM refused)
    """
  }

  /// The same for a row that was skipped before: `$3`, ... its key.
  var refuseSkipped: String {
    """
    WITH refused AS (
      INSERT INTO crossfade.quarantine AS q (slot, key, status, reason)
      SELECT $1, \(jsonKey), t.\(derive.from.quoted)::text, $2 FROM \(table) AS t
       WHERE (\(tableKeys)) = (\(values(from: 3)))
      ON CONFLICT (slot, key) DO UPDATE
         SET status = EXCLUDED.status, reason = EXCLUDED.reason, last_seen = clock_timestamp()
      RETURNING 1),
    settled AS (DELETE FROM crossfade.backfill_skipped WHERE slot = $1 AND key = \(givenKey) RETURNING 1)
    UPDATE crossfade.backfill AS b
       SET skipped = b.skipped - (SELECT count(*) FROM settled), refused = b.refused + (SELECT count(*) FROM refused),
           overtaken = b.overtaken + (SELECT count(*) FROM settled) - (SELECT count(*) FROM refused),
           updated_at = clock_timestamp()
     WHERE b.slot = $1
    """
  }

  private var givenKey: String {
    "jsonb_build_array(\(keyTypes.indices.map { "($\($0 + 3)::\(keyTypes[$0]))::text" }.joined(separator: ", ")))"
  }

  /// Looks again at the row `$3`, ..., which somebody held; `$2` is not used. Gives a row when it is settled: written, right,
  /// unmapped or gone; none while it is held still.
  var revisit: String {
    let row = "(\(tableKeys)) = (\(values(from: 3)))"
    return """
      WITH page AS MATERIALIZED (
        SELECT t.\(to) AS old, m.\(id) AS new
          FROM \(table) AS t LEFT JOIN \(map) AS m ON \(matches) WHERE \(row)),
      free AS MATERIALIZED (
        SELECT 1 FROM \(table) AS t LEFT JOIN \(map) AS m ON \(matches) WHERE \(row) AND \(differs)
        FOR NO KEY UPDATE OF t SKIP LOCKED),
      written AS (
        UPDATE \(table) AS t SET \(to) = m.\(id) FROM \(map) AS m
         WHERE \(row) AND \(matches) AND \(differs) AND EXISTS (SELECT FROM free) RETURNING 1),
      settled AS (
        DELETE FROM crossfade.backfill_skipped
         WHERE slot = $1 AND key = \(givenKey) AND $2::text IS NOT NULL
           AND (EXISTS (SELECT FROM free) OR NOT EXISTS (SELECT FROM page AS p WHERE p.old IS DISTINCT FROM p.new))
        RETURNING 1),
      counts AS (
        SELECT (SELECT count(*) FROM settled) AS settled, (SELECT count(*) FROM written) AS written,
               (SELECT count(*) FROM page WHERE old = new) AS same,
               (SELECT count(*) FROM page WHERE new IS NULL) AS unmapped)
      UPDATE crossfade.backfill AS b
         SET skipped = b.skipped - c.settled, written = b.written + c.written, same = b.same + c.same,
             unmapped = b.unmapped + c.unmapped, page_unmapped = c.unmapped,
             overtaken = b.overtaken + (c.settled - c.written - c.same - c.unmapped),
             updated_at = clock_timestamp()
        FROM counts AS c WHERE b.slot = $1 AND c.settled > 0
      RETURNING c.written
      """
  }
}
