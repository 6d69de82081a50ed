/// What stands before each message in a recording, in the change log's frames and in the spool: 12 bytes.
///
/// | offset | bytes | |
/// |---|---|---|
/// | 0 | 4 | the payload's length, big-endian |
/// | 4 | 8 | walStart of the XLogData message, big-endian; 0 when PostgreSQL sent 0/0 |
/// | 12 | length | the payload: one message of pgoutput |
public struct RecordHeader: Hashable, Sendable {
  /// The header's size in bytes.
  public static let size = 12
  /// The longest payload there can be: PostgreSQL allocates no more than 1 GiB - 1 (`MaxAllocSize`).
  public static let maximumLength = 0x3FFF_FFFF

  /// The payload's length in bytes.
  public var length: Int
  /// Where the message stands in the write-ahead log; `0/0` where the server did not say.
  public var walStart: LSN

  /// A header from its parts.
  public init(length: Int, walStart: LSN) {
    self.length = length
    self.walStart = walStart
  }

  /// Reads a header at an offset; nil when fewer than 12 bytes are there.
  @inlinable
  init?(_ bytes: RawSpan, at offset: Int) {
    guard bytes.byteCount - offset >= RecordHeader.size else { return nil }
    length = Int(bytes.bigEndian(at: offset, as: UInt32.self))
    walStart = LSN(rawValue: bytes.bigEndian(at: offset + 4, as: UInt64.self))
  }

  /// Appends a record: header and payload.
  public static func append(_ payload: RawSpan, walStart: LSN, to bytes: inout [UInt8]) {
    let length = UInt32(truncatingIfNeeded: payload.byteCount)
    for shift in stride(from: 24, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(shift)))
    }
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: walStart.rawValue >> UInt64(shift)))
    }
    bytes.append(payload)
  }
}
