public import Derivation

/// A row's key: its columns' text forms, in the definition's order.
public struct RowKey: Hashable, Sendable {
  /// The columns.
  public let columns: [ExactText]

  /// A key from its columns.
  public init(_ columns: [ExactText]) { self.columns = columns }
}
