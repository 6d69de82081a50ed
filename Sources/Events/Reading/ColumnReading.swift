public import Derivation

/// A column of a row, as far as the log tells it.
public enum ColumnReading: Hashable, Sendable {
  /// Its text; nil for SQL NULL.
  case known(ExactText?)
  /// A large value that the change did not touch, and so is not in the log.
  case unchanged
  /// Not published when the row changed, or not there.
  case unpublished
  /// In a binary form that cannot be read without its server.
  case unreadable

  /// Why the value is not known; nil when it is.
  var reason: StateEvent.Reason? {
    switch self {
    case .known: nil
    case .unchanged: .unchanged
    case .unpublished: .unpublished
    case .unreadable: .unreadable
    }
  }
}

/// The two columns that tell a row's state: the old one, and the new one.
struct ColumnPair: Hashable, Sendable {
  var from: ColumnReading
  var to: ColumnReading
}
