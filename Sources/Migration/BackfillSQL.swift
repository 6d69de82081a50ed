import Derivation
import DualWrite

/// The statements of a backfill. Keys are compared as rows, so that one index range serves a composite key.
struct BackfillSQL {
  let derive: SlotDefinition.Derive
  let keyTypes: [String]

  private var keys: String { derive.key.map(\.quoted).joined(separator: ", ") }
  private var tableKeys: String { derive.key.map { "t.\($0.quoted)" }.joined(separator: ", ") }

  private func values(from first: Int) -> String {
    keyTypes.indices.map { "$\(first + $0)::\(keyTypes[$0])" }.joined(separator: ", ")
  }

  /// The last key there is.
  var last: String {
    // Qualified: a bare name in ORDER BY would mean the output column, which is text and sorts as text.
    let descending = derive.key.map { "t.\($0.quoted) DESC" }.joined(separator: ", ")
    let text = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    return "SELECT \(text) FROM \(derive.table.quoted) AS t ORDER BY \(descending) LIMIT 1"
  }

  /// The last key of the next page of `$1` rows up to the bound, and how many there are: after the key in the
  /// parameters that follow the bound, or from the beginning.
  func page(after: Bool) -> String {
    let count = keyTypes.count
    let beyond = after ? " AND (\(keys)) > (\(values(from: 2 + count)))" : ""
    let descending = derive.key.map { "p.\($0.quoted) DESC" }.joined(separator: ", ")
    let text = derive.key.map { "p.\($0.quoted)::text" }.joined(separator: ", ")
    return """
      SELECT \(text), count(*) OVER () FROM (
        SELECT \(keys) FROM \(derive.table.quoted) WHERE (\(keys)) <= (\(values(from: 2)))\(beyond)
        ORDER BY \(keys) LIMIT $1::bigint) AS p ORDER BY \(descending) LIMIT 1
      """
  }

  /// Derives the rows of a page and records it, in one statement. The parameters: slot, last key (JSON), rows of the
  /// page; then the page's last key; then, unless it is the first page, the key it comes after.
  func apply(after: Bool) -> String {
    let derived = DerivationSQL(derive, keyTypes: keyTypes).derived
    return """
      WITH written AS (
        UPDATE \(derive.table.quoted) AS t SET \(derive.to.quoted) = \(derived)
        WHERE \(range(after: after, first: 4)) AND t.\(derive.to.quoted) IS DISTINCT FROM \(derived)
        RETURNING 1)
      UPDATE crossfade.backfill
         SET last_key = ARRAY(SELECT json_array_elements_text($2::json)), rows = rows + $3::bigint,
             written = written + (SELECT count(*) FROM written), updated_at = clock_timestamp()
       WHERE slot = $1
      """
  }

  /// Puts the rows of a page under quarantine that have no new value because their status is not in the map. Slot in
  /// `$1`. A row with a known status came into the page after it was derived: it is the stream's.
  func quarantine(after: Bool) -> String {
    let key = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    return """
      INSERT INTO crossfade.quarantine AS q (slot, key, status, reason)
      SELECT $1, jsonb_build_array(\(key)), t.\(derive.from.quoted)::text, 'the map has no such status'
        FROM \(derive.table.quoted) AS t WHERE \(range(after: after, first: 2)) AND t.\(derive.to.quoted) IS NULL
         AND \(DerivationSQL(derive, keyTypes: keyTypes).derived) IS NULL
      ON CONFLICT (slot, key) DO UPDATE SET status = EXCLUDED.status, last_seen = clock_timestamp()
      """
  }

  private func range(after: Bool, first: Int) -> String {
    let upTo = "(\(tableKeys)) <= (\(values(from: first)))"
    return after ? "\(upTo) AND (\(tableKeys)) > (\(values(from: first + keyTypes.count)))" : upTo
  }
}
