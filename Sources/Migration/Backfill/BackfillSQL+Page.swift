import Derivation

/// A page, in one statement: rows, account and progress have one snapshot, and so the account balances.
///
/// Parameters: `$1` the slot, `$2` the rows of the page, `$3` to `$6` the clocks; then the bound, then the key it comes after.
extension BackfillSQL {
  /// The number of the bound's first parameter.
  static let bound = 7

  /// Derives a page. It waits for rows that others hold, as long as `lock_timeout` says.
  ///
  /// In the usual case every row was written, and nothing else is counted: `page` is then empty by a filter that is
  /// evaluated once.
  func apply(_ span: Span) -> String {
    let range = range(span, bound: Self.bound)
    return """
      WITH \(edge(span, bound: Self.bound)),
      written AS (
        UPDATE \(table) AS t SET \(to) = m.\(id) FROM \(map) AS m WHERE \(range) AND \(matches) AND \(differs)
        RETURNING 1),
      done AS MATERIALIZED (SELECT count(*) AS n FROM written),
      page AS MATERIALIZED (
        SELECT count(*) AS looked, count(*) FILTER (WHERE t.\(to) = m.\(id)) AS same,
               count(*) FILTER (WHERE m.\(id) IS NULL) AS unmapped
          FROM \(table) AS t LEFT JOIN \(map) AS m ON \(matches)
         WHERE (SELECT n FROM done) <> $2::bigint AND \(range)),
      counts AS (
        SELECT CASE WHEN d.n = $2::bigint THEN d.n ELSE p.looked END AS looked, d.n AS written, p.same, p.unmapped,
               0::bigint AS skipped FROM done AS d, page AS p)
      \(progress)
      """
  }

  /// Derives a page without those rows that others hold, which it notes.
  func applyCarefully(_ span: Span) -> String {
    let range = range(span, bound: Self.bound)
    let match = zip(derive.key, keyTypes.indices).map { "t.\($0.quoted) = f.k\($1 + 1)" }.joined(
      separator: " AND ")
    return """
      WITH \(edge(span, bound: Self.bound)),
      page AS MATERIALIZED (
        SELECT \(jsonKey) AS key, t.\(to) AS old, m.\(id) AS new
          FROM \(table) AS t LEFT JOIN \(map) AS m ON \(matches) WHERE \(range)),
      free AS MATERIALIZED (
        SELECT \(named), \(jsonKey) AS key
          FROM \(table) AS t LEFT JOIN \(map) AS m ON \(matches) WHERE \(range) AND \(differs)
         ORDER BY \(tableKeys) FOR NO KEY UPDATE OF t SKIP LOCKED),
      written AS (
        UPDATE \(table) AS t SET \(to) = m.\(id) FROM \(map) AS m, free AS f
         WHERE \(match) AND \(range) AND \(matches) AND \(differs) RETURNING 1),
      held AS (
        INSERT INTO crossfade.backfill_skipped (slot, key)
        SELECT $1, p.key FROM page AS p
         WHERE p.old IS DISTINCT FROM p.new AND NOT EXISTS (SELECT FROM free AS f WHERE f.key = p.key)
        ON CONFLICT (slot, key) DO NOTHING RETURNING key),
      counts AS (
        SELECT count(*) AS looked, (SELECT count(*) FROM written) AS written,
               count(*) FILTER (WHERE p.old = p.new) AS same,
               count(*) FILTER (WHERE p.new IS NULL AND NOT EXISTS (SELECT FROM held AS h WHERE h.key = p.key))
                 AS unmapped,
               (SELECT count(*) FROM held) AS skipped FROM page AS p)
      \(progress)
      """
  }

  private var named: String {
    zip(derive.key, keyTypes.indices).map { "t.\($0.quoted) AS k\($1 + 1)" }.joined(separator: ", ")
  }

  /// Moves the progress by `counts`. What is in none of its parts was changed by others meanwhile.
  private var progress: String {
    let till = keyTypes.indices.map { index in
      "coalesce((SELECT e.k\(index + 1) FROM edge AS e), $\(Self.bound + index)::\(keyTypes[index]))::text"
    }
    return """
      UPDATE crossfade.backfill AS b
         SET last_key = ARRAY[\(till.joined(separator: ", "))], rows = b.rows + c.looked,
             written = b.written + c.written, same = b.same + c.same, unmapped = b.unmapped + c.unmapped,
             skipped = b.skipped + c.skipped, page_unmapped = c.unmapped,
             overtaken = b.overtaken + (c.looked - c.written - c.same - c.unmapped - c.skipped),
             \(Self.clocks), updated_at = clock_timestamp()
        FROM counts AS c WHERE b.slot = $1
      RETURNING to_json(b.last_key), c.looked, c.written, c.same, c.unmapped, c.skipped,
                c.looked - c.written - c.same - c.unmapped - c.skipped
      """
  }

  static let clocks = """
    active_ms = $3::double precision, throttled_ms = $4::double precision, paused_ms = $5::double precision, \
    shut_ms = $6::double precision
    """

  /// Puts the rows of the page that was just done under quarantine that have no new value because their status is not in the
  /// map, and takes away a value that they may have. Nothing is read where the page had none. Parameters: the slot, then the
  /// key it comes after.
  ///
  /// A row with a known status came into the page after it was derived: it is the stream's.
  func quarantine(_ span: Span) -> String {
    let first = 2
    let till = keyTypes.indices.map { "(SELECT b.last_key[\($0 + 1)]::\(keyTypes[$0]) FROM state AS b)" }
      .joined(separator: ", ")
    let range =
      switch span {
      case .first: "(\(tableKeys)) <= (\(till))"
      case .after: "(\(tableKeys)) <= (\(till)) AND (\(tableKeys)) > (\(values(from: first)))"
      case .only: "(\(tableKeys)) = (\(values(from: first)))"
      }
    let unknown = """
      (SELECT b.page_unmapped > 0 FROM state AS b) AND \(range)
      AND NOT EXISTS (SELECT FROM \(map) AS m WHERE \(matches))
      AND NOT EXISTS (SELECT FROM crossfade.backfill_skipped AS s WHERE s.slot = $1 AND s.key = \(jsonKey))
      """
    return """
      WITH state AS MATERIALIZED (SELECT last_key, page_unmapped FROM crossfade.backfill WHERE slot = $1),
      cleared AS (UPDATE \(table) AS t SET \(to) = NULL WHERE t.\(to) IS NOT NULL AND \(unknown))
      INSERT INTO crossfade.quarantine AS q (slot, key, status, reason)
      SELECT $1, \(jsonKey), t.\(derive.from.quoted)::text, 'the map has no such status'
        FROM \(table) AS t WHERE \(unknown)
      ON CONFLICT (slot, key) DO UPDATE SET status = EXCLUDED.status, last_seen = clock_timestamp()
      """
  }
}
