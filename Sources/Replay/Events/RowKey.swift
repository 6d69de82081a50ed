public import Derivation

/// A row's key: its columns' text forms, in the definition's order.
public struct RowKey: Hashable, Sendable {
  /// The columns.
  public let columns: [ExactText]

  /// A key from its columns.
  public init(_ columns: [ExactText]) { self.columns = columns }

  /// The key in one text, each column with its length before it.
  var text: String { columns.map { "\($0.bytes.count):\($0.string)" }.joined(separator: ",") }
}
