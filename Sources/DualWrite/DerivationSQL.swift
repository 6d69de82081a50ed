public import Derivation

/// The statements of a derivation, as text. `t` is the ledger's row.
public struct DerivationSQL: Sendable {
  /// What is derived from what.
  public let derive: SlotDefinition.Derive
  /// The key columns' types as PostgreSQL spells them, such as `bigint`.
  public let keyTypes: [String]

  /// Statements for a derivation whose key columns have these types.
  public init(_ derive: SlotDefinition.Derive, keyTypes: [String]) {
    self.derive = derive
    self.keyTypes = keyTypes
  }

  /// The rows of given keys.
  public var keys: KeySQL { KeySQL(derive, types: keyTypes) }

  /// The new value of the row `t`, from the map as it stands; NULL for a status the map does not know.
  ///
  /// Scalar subqueries, not a join: under READ COMMITTED a row that changed while we waited for its lock is evaluated
  /// again, and only subqueries are evaluated again with it (`nodeModifyTable.c`, `execMain.c EvalPlanQual`: joined
  /// rows are the ones fetched before). `COLLATE "C"`: a status is its bytes, whatever collation the columns have.
  public var derived: String {
    let map = derive.map
    return """
      CASE WHEN t.\(derive.from.quoted) IS NULL
      THEN (SELECT m.\(map.id.quoted) FROM \(map.table.quoted) AS m WHERE m.\(map.status.quoted) IS NULL)
      ELSE (SELECT m.\(map.id.quoted) FROM \(map.table.quoted) AS m \
      WHERE m.\(map.status.quoted)::text COLLATE "C" = t.\(derive.from.quoted)::text) END
      """
  }

  /// Re-derives the rows of the keys in `$1`, `$2`, ...: arrays, one for each key column.
  ///
  /// The keys are sorted, and the session allows no plan but the one that looks rows up in that order, so that two
  /// writers that meet lock in the same order.
  public var applyKeys: String {
    """
    UPDATE \(derive.table.quoted) AS t SET \(derive.to.quoted) = \(derived)
    FROM (SELECT * FROM unnest(\(keys.arrays())) AS u(\(keys.names)) ORDER BY \(keys.order)) AS k
    WHERE \(keys.match()) AND t.\(derive.to.quoted) IS DISTINCT FROM \(derived)
    """
  }

  /// Settings under which `applyKeys` has only the plan it was written for.
  public static let planSettings: [(name: String, value: String)] = [
    ("plan_cache_mode", "force_generic_plan"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
  ]
}
