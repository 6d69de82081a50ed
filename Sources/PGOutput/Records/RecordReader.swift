/// Reads records from bytes that come in pieces: holds no more than the piece and one unfinished record.
///
///     while let piece = source() {
///       reader.feed(piece)
///       while let record = try reader.next() { ... }
///     }
///     try reader.finish()
public struct RecordReader: Sendable {
  private var buffer: [UInt8] = []
  private var position = 0
  private var base: UInt64 = 0

  /// A reader at the first byte of a file.
  public init() {}

  /// Where the next record begins, counted from the first byte of the file.
  public var offset: UInt64 { base + UInt64(position) }

  /// Adds the file's next bytes.
  public mutating func feed(_ bytes: RawSpan) {
    if position > 0 {
      buffer.removeSubrange(0..<position)
      base += UInt64(position)
      position = 0
    }
    buffer.append(bytes)
  }

  /// The next whole record, or nil when more bytes are needed. It lasts until the reader is used again.
  @_lifetime(&self)
  public mutating func next() throws(RecordError) -> RecordView? {
    var cursor = RecordCursor(buffer.rawBytes.extracting(position..<buffer.count), base: offset)
    guard let record = try cursor.next() else { return nil }
    position += cursor.position
    return record
  }

  /// Checks, when the file has ended, that it ended where a record ends.
  public func finish() throws(RecordError) {
    let cursor = RecordCursor(
      buffer.rawBytes.extracting(position..<buffer.count), base: offset)
    try cursor.finish()
  }
}
