/// One record of a chunk or a group.
public struct LogRecord {
  /// Where it starts in the bytes iterated.
  public let offset: Int
  /// The LSN that came with the message on the wire; 0 where the server gave none.
  public let walStart: UInt64
  /// One pgoutput message; valid as long as the bytes iterated are.
  public let payload: UnsafeRawBufferPointer
}

/// Walks the records in a run of bytes: payload length (u32, big-endian), walStart (u64, big-endian), payload.
///
/// It borrows the bytes: they must outlive it and every record it gives.
public struct LogRecordIterator {
  private let bytes: UnsafeRawBufferPointer
  /// Where the next record starts.
  public private(set) var offset: Int

  /// An iterator that starts at `offset` of `bytes`.
  public init(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The next record; nil at the end. Throws `malformedRecord` when the bytes end within one.
  public mutating func next() throws(ChangeLogError) -> LogRecord? {
    let left = bytes.count - offset
    guard left > 0 else { return nil }
    guard left >= LogFormat.recordPrefix else {
      throw .malformedRecord(offset: offset, reason: "the bytes end within its prefix")
    }
    let length = Int(bytes.bigEndian(at: offset, as: UInt32.self))
    guard left - LogFormat.recordPrefix >= length else {
      throw .malformedRecord(offset: offset, reason: "the bytes end within its payload")
    }
    let start = offset + LogFormat.recordPrefix
    let record = LogRecord(
      offset: offset, walStart: bytes.bigEndian(at: offset + 4),
      payload: UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
    offset = start + length
    return record
  }
}
