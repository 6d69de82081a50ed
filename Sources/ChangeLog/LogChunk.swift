public import PGOutput

/// Whole records in the order of the log, as a reader gets them: a frame's, or what of it lies after the position
/// asked for. The bytes are shared with the tail and other readers, never copied.
public struct LogChunk: Sendable {
  /// Holds the bytes.
  public let storage: LogBytes
  /// Which of them are the chunk's.
  public let range: Range<Int>
  /// End of the last transaction completed in the chunk; nil within a transaction that is larger than a frame.
  public let lastCommitEnd: LSN?
  /// Commit records in it.
  public let transactions: Int
  /// Insert, Update, Delete, Truncate and Message records in it.
  public let changes: Int
  /// Whether it only repeats the Relation and Type messages that came before the position asked for.
  public let isRelations: Bool

  /// Bytes of the records.
  public var byteCount: Int { range.count }

  /// Calls `body` with the records' bytes, which are valid only in there. `LogRecordIterator` walks them.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try storage.withUnsafeBytes { bytes throws(E) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
  }

  /// Calls `body` for each record; its payload is valid only in there.
  public func forEachRecord(_ body: (LogRecord) throws(ChangeLogError) -> Void) throws(ChangeLogError) {
    try withUnsafeBytes { bytes throws(ChangeLogError) in
      var records = LogRecordIterator(bytes)
      while let record = try records.next() { try body(record) }
    }
  }
}
