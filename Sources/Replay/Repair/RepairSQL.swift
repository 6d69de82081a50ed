import Derivation
import DualWrite

/// The statements of a repair. `t` is the ledger's row.
struct RepairSQL {
  let derive: SlotDefinition.Derive
  let keyTypes: [String]
  /// The new column's type, where the map is given by hand; nil for the target's own map.
  let givenMapType: String?
  /// Whether anybody hears what is told of the rows.
  var isHeard = true

  /// Writes the rows of a batch, tells of each and moves the position, in one statement: `$1` slot, `$2` end LSN, `$3`
  /// ordinal, `$4` changes, `$5` rows refused, `$6` gaps, `$7` finished; then the map's statuses and ids where it is given; then
  /// the keys, an array a column, and the positions that are corrected.
  ///
  /// Keys are sorted, under settings that look rows up in that order, as the dual-write does it: two writers that meet
  /// lock in the same order. A row without a state in the map keeps what it has. Rows are held first: so what they had is
  /// known, in the version that is written.
  var apply: String {
    let first = givenMapType == nil ? 8 : 10
    let keys = KeySQL(derive, types: keyTypes)
    let (table, new) = (derive.table.quoted, "t.\(derive.to.quoted)")
    let code = CorrectionSQL.code(of: new, derive.map)
    let key = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    let isWrong = "\(derived) IS NOT NULL AND \(new) IS DISTINCT FROM \(derived)"
    let told = CorrectionSQL.count(
      [
        ("cause", "'replay'"), ("corrects", "w.corrects"), ("key", "w.key"), ("state", "w.state"),
        ("code", "w.code"), ("status", "w.status"), ("was", "w.was"), ("was_code", "w.was_code"),
      ], isHeard: isHeard)
    return """
      WITH held AS (
        SELECT k.*, \(new)::text AS was, \(code) AS was_code
          FROM (SELECT * FROM unnest(\(keys.arrays(from: first)), $\(first + keys.count)::text[]) AS u(\(keys.names), corrects)
                 ORDER BY \(keys.order)) AS k
          JOIN \(table) AS t ON \(keys.match())
         WHERE \(isWrong)
           FOR NO KEY UPDATE OF t),
      written AS (
        UPDATE \(table) AS t SET \(derive.to.quoted) = \(derived) FROM held AS k WHERE \(keys.match()) AND \(isWrong)
        RETURNING k.corrects, json_build_array(\(key)) AS key, \(new)::text AS state, \(code) AS code,
                  t.\(derive.from.quoted)::text AS status, k.was, k.was_code)
      UPDATE crossfade.replay AS r
         SET end_lsn = $2::pg_lsn, ordinal = $3::numeric, changes = r.changes + $4::bigint,
             written = r.written + (SELECT \(told) FROM written AS w), refused = r.refused + $5::bigint,
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
