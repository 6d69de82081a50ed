/// Builds messages: the reverse of `WireReader`.
public struct WireWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []

  /// An empty writer.
  public init() {}

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Writes a byte.
  public mutating func uint8(_ value: UInt8) { bytes.append(value) }

  /// Writes two bytes.
  public mutating func uint16(_ value: UInt16) { integer(value) }

  /// Writes four bytes.
  public mutating func uint32(_ value: UInt32) { integer(value) }

  /// Writes eight bytes.
  public mutating func uint64(_ value: UInt64) { integer(value) }

  /// Writes a position.
  public mutating func lsn(_ value: LSN) { integer(value.rawValue) }

  /// Writes a moment.
  public mutating func timestamp(_ value: Timestamp) { integer(UInt64(bitPattern: value.rawValue)) }

  /// Writes a transaction id.
  public mutating func transactionID(_ value: TransactionID) { integer(value.rawValue) }

  /// Writes the transaction id that changes carry inside a streamed block, and only there.
  mutating func streamedTransactionID(_ value: TransactionID?) {
    if let value { transactionID(value) }
  }

  /// Writes bytes as they are.
  public mutating func span(_ value: RawSpan) { bytes.append(value) }

  /// Writes bytes and a NUL. The wire cannot carry a NUL within, and PostgreSQL's text has none.
  public mutating func terminated(_ value: RawSpan) {
    bytes.append(value)
    bytes.append(0)
  }

  /// Writes a string and a NUL. The wire cannot carry a NUL within, and PostgreSQL's names have none.
  public mutating func string(_ value: String) {
    bytes.append(contentsOf: value.utf8)
    bytes.append(0)
  }

  private mutating func integer<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    var shift = Number.bitWidth
    while shift > 0 {
      shift -= 8
      bytes.append(UInt8(truncatingIfNeeded: value >> Number(shift)))
    }
  }
}
