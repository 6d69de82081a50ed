public import Derivation

/// Keys as arrays, one for each key column, and how the ledger's row `t` is found by them, as text: the same in every statement that
/// writes or looks at rows by key.
public struct KeySQL: Sendable {
  private let key: [Identifier]
  private let types: [String]

  /// - Parameter types: the key columns' types as PostgreSQL spells them.
  public init(_ derive: SlotDefinition.Derive, types: [String]) {
    key = derive.key
    self.types = types
  }

  /// How many parameters they are.
  public var count: Int { types.count }

  /// `k1, k2`: the columns of the unnested arrays.
  public var names: String { types.indices.map { "k\($0 + 1)" }.joined(separator: ", ") }

  /// `$1::bigint[], $2::text[]`, from that parameter on.
  public func arrays(from first: Int = 1) -> String {
    types.indices.map { "$\(first + $0)::\(types[$0])[]" }.joined(separator: ", ")
  }

  /// `1, 2`: by the key, where its columns come first. Who locks in this order meets no other writer of ours in a circle.
  public var order: String { types.indices.map { "\($0 + 1)" }.joined(separator: ", ") }

  /// Whether the row `t` has the key in `alias`.
  public func match(_ alias: String = "k") -> String {
    zip(key, types.indices).map { "t.\($0.quoted) = \(alias).k\($1 + 1)" }.joined(separator: " AND ")
  }
}
