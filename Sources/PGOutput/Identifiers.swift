/// A transaction's number as the wire has it: 32 bits, wrapping around every four billion transactions.
public struct TransactionID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: UInt32

  /// A transaction id from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The number in decimal, as `pg_current_xact_id()` shows its lower half.
  public var description: String { "\(rawValue)" }
}

/// A table's `pg_class.oid` in the source database. It stays while the table is renamed.
public struct RelationID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: UInt32

  /// A relation id from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The number in decimal.
  public var description: String { "\(rawValue)" }
}

/// A data type's `pg_type.oid` in the source database.
public struct TypeOID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: UInt32

  /// A type's oid from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The number in decimal.
  public var description: String { "\(rawValue)" }
}
