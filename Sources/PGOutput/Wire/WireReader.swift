/// A cursor over one message's bytes. Every read is checked, and a failure names the byte and the field.
///
/// Integers are big-endian, strings end in NUL (PostgreSQL's `pqformat.c`).
public struct WireReader: ~Escapable {
  /// The whole payload.
  public let bytes: RawSpan
  /// The next byte to read.
  public private(set) var offset = 0
  /// The message's first byte, for errors; 0 when there is none.
  let message: UInt8

  /// A cursor at the first byte.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    self.bytes = bytes
    message = bytes.isEmpty ? 0 : bytes.byte(at: 0)
  }

  /// How many bytes are left.
  public var left: Int { bytes.byteCount - offset }

  /// Reads a byte.
  public mutating func uint8(_ field: String) throws(DecodeError) -> UInt8 {
    try integer(field, as: UInt8.self)
  }

  /// Reads two bytes.
  public mutating func uint16(_ field: String) throws(DecodeError) -> UInt16 {
    try integer(field, as: UInt16.self)
  }

  /// Reads four bytes.
  public mutating func uint32(_ field: String) throws(DecodeError) -> UInt32 {
    try integer(field, as: UInt32.self)
  }

  /// Reads eight bytes.
  public mutating func uint64(_ field: String) throws(DecodeError) -> UInt64 {
    try integer(field, as: UInt64.self)
  }

  /// Reads a position.
  public mutating func lsn(_ field: String) throws(DecodeError) -> LSN {
    LSN(rawValue: try integer(field, as: UInt64.self))
  }

  /// Reads a moment.
  public mutating func timestamp(_ field: String) throws(DecodeError) -> Timestamp {
    Timestamp(rawValue: try integer(field, as: Int64.self))
  }

  /// Reads a transaction id.
  public mutating func transactionID(_ field: String) throws(DecodeError) -> TransactionID {
    TransactionID(rawValue: try integer(field, as: UInt32.self))
  }

  /// Reads the transaction id that changes carry inside a streamed block, and only there.
  mutating func streamedTransactionID(_ format: StreamFormat) throws(DecodeError) -> TransactionID? {
    format.isInsideStream ? try transactionID("transaction id") : nil
  }

  /// Reads a byte that is reserved and must be 0 (`proto.c`: "unrecognized flags").
  mutating func reservedFlags() throws(DecodeError) {
    let flags = try uint8("flags")
    guard flags == 0 else { throw unexpected("flags", byte: flags, allowed: "0") }
  }

  /// Reads a four-byte length or count, which must not be negative.
  @inline(__always)
  mutating func length(_ field: String) throws(DecodeError) -> Int {
    let value = try integer(field, as: Int32.self)
    guard value >= 0 else {
      throw DecodeError(
        offset: offset - 4, message: message, problem: .negative(field: field, value: Int(value)))
    }
    return Int(value)
  }

  /// Steps over bytes.
  @inline(__always)
  mutating func skip(_ count: Int, _ field: String) throws(DecodeError) {
    guard count <= left else { throw truncated(field, needed: count) }
    offset += count
  }

  /// Reads that many bytes.
  @_lifetime(copy self)
  public mutating func span(_ count: Int, _ field: String) throws(DecodeError) -> RawSpan {
    let start = offset
    try skip(count, field)
    return bytes.extracting(start..<offset)
  }

  /// Reads the bytes before a NUL, and the NUL.
  @_lifetime(copy self)
  public mutating func terminated(_ field: String) throws(DecodeError) -> RawSpan {
    let start = offset
    var end = start
    while end < bytes.byteCount {
      if bytes.byte(at: end) == 0 {
        offset = end + 1
        return bytes.extracting(start..<end)
      }
      end += 1
    }
    throw DecodeError(offset: start, message: message, problem: .unterminated(field: field))
  }

  /// Reads a NUL-terminated string, which must be UTF-8: Crossfade's connections ask for that encoding.
  public mutating func string(_ field: String) throws(DecodeError) -> String {
    let start = offset
    guard let text = try terminated(field).utf8String else {
      throw DecodeError(offset: start, message: message, problem: .notUTF8(field: field))
    }
    return text
  }

  /// Checks that nothing is left.
  public func finish() throws(DecodeError) {
    guard left == 0 else {
      throw DecodeError(offset: offset, message: message, problem: .trailing(count: left))
    }
  }

  /// The error for a byte, just read, that is none of those allowed.
  func unexpected(_ field: String, byte: UInt8, allowed: String) -> DecodeError {
    DecodeError(
      offset: offset - 1, message: message,
      problem: .unexpected(field: field, byte: byte, allowed: allowed))
  }

  @inline(never)
  private func truncated(_ field: String, needed: Int) -> DecodeError {
    DecodeError(
      offset: offset, message: message, problem: .truncated(field: field, needed: needed, left: left))
  }

  @inline(__always)
  private mutating func integer<Number: FixedWidthInteger & BitwiseCopyable>(
    _ field: String, as: Number.Type
  ) throws(DecodeError) -> Number {
    let size = MemoryLayout<Number>.size
    guard size <= bytes.byteCount - offset else { throw truncated(field, needed: size) }
    let value = bytes.bigEndian(at: offset, as: Number.self)
    offset += size
    return value
  }
}
