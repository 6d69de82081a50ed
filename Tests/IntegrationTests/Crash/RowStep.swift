/// What a transaction did to one row of the ledger, as the log and the audit both tell it.
struct RowStep: Hashable, Sendable, CustomStringConvertible {
  enum Kind: String, Sendable {
    case insert
    case move
    case delete
  }

  var kind: Kind
  var key: Int64
  /// Nil for a delete and for NULL.
  var status: String?

  var description: String { "\(kind.rawValue) \(key) \(status ?? "-")" }
}
