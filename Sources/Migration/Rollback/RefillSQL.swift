import Derivation

/// The derivation the other way, over the rows as they stand: the old column from the new one. By keyset, as the backfill.
struct RefillSQL {
  let pages: BackfillSQL
  /// The old column, under the name that it has now.
  let column: Identifier
  /// Its type, where a text does not become it by assignment.
  let cast: String?

  /// The number of the bound's first parameter; `$1` is the slot, `$2` the rows of a page.
  static let bound = 3

  /// The old value of the row `t`. A scalar subquery, evaluated anew for a row that changed while its lock was waited for.
  private var derived: String {
    let map = pages.derive.map
    return
      "(SELECT m.\(map.status.quoted)\(cast.map { "::text::\($0)" } ?? "") FROM \(pages.map) AS m "
      + "WHERE m.\(map.id.quoted) = t.\(pages.to))"
  }

  /// Fills a page, and moves the progress with it.
  func apply(_ span: BackfillSQL.Span) -> String {
    let range = pages.range(span, bound: Self.bound)
    let till = pages.keyTypes.indices.map { index in
      "coalesce((SELECT e.k\(index + 1) FROM edge AS e), $\(Self.bound + index)::\(pages.keyTypes[index]))::text"
    }
    let known =
      "EXISTS (SELECT FROM \(pages.map) AS m WHERE m.\(pages.id) = t.\(pages.to))"
    return """
      WITH \(pages.edge(span, bound: Self.bound)),
      written AS (
        UPDATE \(pages.table) AS t SET \(column.quoted) = \(derived)
         WHERE \(range) AND \(known) AND t.\(column.quoted) IS DISTINCT FROM \(derived) RETURNING 1),
      counts AS (SELECT count(*) AS n FROM written)
      UPDATE crossfade.refill AS r
         SET last_key = ARRAY[\(till.joined(separator: ", "))], written = r.written + c.n, pages = r.pages + 1,
             finished_at = CASE WHEN NOT EXISTS (SELECT FROM edge) THEN clock_timestamp() END
        FROM counts AS c WHERE r.slot = $1
      RETURNING to_json(r.last_key), r.written, r.finished_at IS NOT NULL
      """
  }
}
