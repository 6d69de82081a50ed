import Derivation
import DualWrite

/// The statements of a verification.
struct VerifySQL {
  let derive: SlotDefinition.Derive
  let keyTypes: [String]

  private var derived: String { DerivationSQL(derive, keyTypes: keyTypes).derived }
  private var to: String { "t.\(derive.to.quoted)" }

  private var columns: String {
    let key = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    let map = derive.map
    return """
      jsonb_build_array(\(key))::text, t.\(derive.from.quoted)::text, \(to)::text,
             CASE WHEN \(derived) IS NULL AND \(to) IS NULL THEN 'unmapped'
                  WHEN \(to) IS NULL THEN 'incomplete'
                  WHEN NOT EXISTS (SELECT FROM \(map.table.quoted) AS o WHERE o.\(map.id.quoted) = \(to)) THEN 'orphan'
                  ELSE 'incorrect' END
      """
  }

  /// A row is wrong when it differs from what the map gives, or has nothing at all.
  private var wrong: String { "(\(to) IS DISTINCT FROM \(derived) OR \(to) IS NULL)" }

  /// All wrong rows, through a cursor.
  var scan: String {
    "SELECT \(columns) FROM \(derive.table.quoted) AS t WHERE \(wrong)"
  }

  var count: String { "SELECT count(*) FROM \(derive.table.quoted)" }

  /// Those of the keys in `$1` (JSON arrays) that are still wrong.
  var again: String {
    let match = zip(derive.key.indices, derive.key).map { index, key in
      "t.\(key.quoted) = (k.k ->> \(index))::\(keyTypes[index])"
    }.joined(separator: " AND ")
    return """
      SELECT \(columns) FROM (SELECT unnest($1::text[])::jsonb AS k) AS k
        JOIN \(derive.table.quoted) AS t ON \(match) WHERE \(wrong)
      """
  }
}
