import Derivation
import DualWrite

/// The statements of a backfill. Keys are compared as rows, so that one index range serves a composite key.
///
/// The new value comes from a join with the map, which costs half of what a subquery a row does. A row whose status changed
/// while its lock was waited for is not written then: it no longer matches the map's row that was fetched before
/// (`execMain.c EvalPlanQual`). That is right here: the change is captured, and so the dual-write's.
struct BackfillSQL {
  /// Which rows a statement is about. Its keys are parameters, the bound first.
  enum Span {
    /// From the beginning up to the bound.
    case first
    /// After a key, up to the bound.
    case after
    /// One key, which stands in the bound's place.
    case only

    /// The name that its statements are prepared under.
    func name(_ statement: String) -> String { "\(statement)_\(self)" }
  }

  let derive: SlotDefinition.Derive
  let keyTypes: [String]

  var table: String { derive.table.quoted }
  var map: String { derive.map.table.quoted }
  var to: String { derive.to.quoted }
  var id: String { derive.map.id.quoted }
  var keys: String { derive.key.map(\.quoted).joined(separator: ", ") }
  var tableKeys: String { derive.key.map { "t.\($0.quoted)" }.joined(separator: ", ") }
  var keyNames: String { keyTypes.indices.map { "k\($0 + 1)" }.joined(separator: ", ") }
  /// The key of the row `t`, as the quarantine has it.
  var jsonKey: String {
    "jsonb_build_array(\(derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")))"
  }

  /// Whether the map's row `m` is that of the status of `t`. Both sides are texts that tell NULL from everything else, so that
  /// they can be hashed; `COLLATE "C"`: a status is its bytes.
  var matches: String {
    """
    coalesce('=' || m.\(derive.map.status.quoted)::text, '') COLLATE "C" \
    = coalesce('=' || t.\(derive.from.quoted)::text, '')
    """
  }

  /// Whether `t` is to be written, `m` being its row of the map, or none.
  var differs: String { "t.\(to) IS DISTINCT FROM m.\(id)" }

  func values(from first: Int) -> String {
    keyTypes.indices.map { "$\(first + $0)::\(keyTypes[$0])" }.joined(separator: ", ")
  }

  /// The rows of a span, whose last key `edge` has found where it has.
  func range(_ span: Span, bound: Int) -> String {
    let after = bound + keyTypes.count
    let till = keyTypes.indices.map { index in
      "coalesce((SELECT e.k\(index + 1) FROM edge AS e), $\(bound + index)::\(keyTypes[index]))"
    }
    switch span {
    case .first: return "(\(tableKeys)) <= (\(till.joined(separator: ", ")))"
    case .after:
      return
        "(\(tableKeys)) <= (\(till.joined(separator: ", "))) AND (\(tableKeys)) > (\(values(from: after)))"
    case .only: return "(\(tableKeys)) = (\(values(from: bound)))"
    }
  }

  /// The last key of a page of `$2` rows; none where fewer are left.
  func edge(_ span: Span, bound: Int) -> String {
    let after = span == .after ? " AND (\(tableKeys)) > (\(values(from: bound + keyTypes.count)))" : ""
    let names = zip(derive.key, keyTypes.indices).map { "t.\($0.quoted) AS k\($1 + 1)" }.joined(
      separator: ", ")
    return """
      edge AS MATERIALIZED (
        SELECT \(names) FROM \(table) AS t WHERE (\(tableKeys)) <= (\(values(from: bound)))\(after)
        ORDER BY \(tableKeys) OFFSET $2::bigint - 1 LIMIT 1)
      """
  }

  /// The last key there is.
  var last: String {
    // Qualified: a bare name in ORDER BY would mean the output column, which is text and sorts as text.
    let descending = derive.key.map { "t.\($0.quoted) DESC" }.joined(separator: ", ")
    let text = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    return "SELECT \(text) FROM \(table) AS t ORDER BY \(descending) LIMIT 1"
  }

  /// The key of the next row.
  func next(_ span: Span) -> String {
    let after = span == .after ? " AND (\(tableKeys)) > (\(values(from: 1 + keyTypes.count)))" : ""
    let text = derive.key.map { "t.\($0.quoted)::text" }.joined(separator: ", ")
    return """
      SELECT \(text) FROM \(table) AS t WHERE (\(tableKeys)) <= (\(values(from: 1)))\(after)
      ORDER BY \(tableKeys) LIMIT 1
      """
  }
}
