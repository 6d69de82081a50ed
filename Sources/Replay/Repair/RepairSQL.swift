import Derivation
import DualWrite

/// The statements of a repair. `t` is the ledger's row.
struct RepairSQL {
  let derive: SlotDefinition.Derive
  let keyTypes: [String]
  /// The new column's type, where the map is given by hand; nil for the target's own map.
  let givenMapType: String?

  /// Writes the rows of a batch and moves the position, in one statement: `$1` slot, `$2` end LSN, `$3` ordinal, `$4`
  /// changes, `$5` rows refused, `$6` gaps, `$7` finished; then the map's statuses and ids where it is given; then the keys,
  /// an array a column.
  ///
  /// Keys are sorted, under settings that look rows up in that order, as the dual-write does it: two writers that meet
  /// lock in the same order. A row without a state in the map keeps what it has.
  var apply: String {
    let first = givenMapType == nil ? 8 : 10
    let arrays = keyTypes.indices.map { "$\(first + $0)::\(keyTypes[$0])[]" }.joined(separator: ", ")
    let names = keyTypes.indices.map { "k\($0 + 1)" }
    let order = keyTypes.indices.map { "\($0 + 1)" }.joined(separator: ", ")
    let match = zip(derive.key, names).map { "t.\($0.quoted) = k.\($1)" }.joined(separator: " AND ")
    return """
      WITH written AS (
        UPDATE \(derive.table.quoted) AS t SET \(derive.to.quoted) = \(derived)
        FROM (SELECT * FROM unnest(\(arrays)) AS u(\(names.joined(separator: ", "))) ORDER BY \(order)) AS k
        WHERE \(match) AND \(derived) IS NOT NULL AND t.\(derive.to.quoted) IS DISTINCT FROM \(derived)
        RETURNING 1)
      UPDATE crossfade.replay AS r
         SET end_lsn = $2::pg_lsn, ordinal = $3::numeric, changes = r.changes + $4::bigint,
             written = r.written + (SELECT count(*) FROM written), refused = r.refused + $5::bigint,
             gaps = r.gaps || $6::jsonb, updated_at = clock_timestamp(),
             finished_at = CASE WHEN $7::boolean THEN clock_timestamp() END
       WHERE r.slot = $1
      RETURNING r.written
      """
  }

  /// The new value. Scalar subqueries: they alone are evaluated anew for a row that changed while its lock was waited for.
  private var derived: String {
    guard let givenMapType else { return DerivationSQL(derive, keyTypes: keyTypes).derived }
    return """
      (SELECT m.id::\(givenMapType) FROM unnest($8::text[], $9::text[]) AS m(status, id) \
      WHERE m.status COLLATE "C" IS NOT DISTINCT FROM t.\(derive.from.quoted)::text)
      """
  }
}
