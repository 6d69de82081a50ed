/// A text whose identity is its bytes, as PostgreSQL's is under a deterministic collation.
///
/// Swift's `String` holds "é" in one scalar and "é" in two for equal; a ledger does not. Case, spaces and
/// Unicode normalization are all part of the value. The bytes need not be valid UTF-8 (`SQL_ASCII` databases).
public struct ExactText: Hashable, Sendable {
  /// The bytes as the server holds them.
  public let bytes: [UInt8]

  /// The text of a Swift string, in UTF-8.
  public init(_ string: String) {
    bytes = Array(string.utf8)
  }

  /// The text that these bytes are.
  public init(bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  /// The text as a Swift string; bytes that are not UTF-8 show as U+FFFD.
  public var string: String { String(decoding: bytes, as: UTF8.self) }
}

extension ExactText: ExpressibleByStringLiteral {
  /// The text of a literal.
  public init(stringLiteral value: String) { self.init(value) }
}

extension ExactText: Comparable {
  /// Byte order, which is the order of the `C` collation.
  public static func < (a: ExactText, b: ExactText) -> Bool {
    a.bytes.lexicographicallyPrecedes(b.bytes)
  }
}

extension ExactText: CustomStringConvertible {
  /// As `string`.
  public var description: String { string }
}
