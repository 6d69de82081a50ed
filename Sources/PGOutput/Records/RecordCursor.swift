/// Walks records that stand in memory, without copying: a frame of the change log, a whole recording.
public struct RecordCursor: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let base: UInt64
  /// The next record's place in the bytes given.
  public private(set) var position = 0

  /// A cursor over bytes whose first stands at `base` in their file.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, base: UInt64 = 0) {
    self.bytes = bytes
    self.base = base
  }

  /// The next record, or nil when no whole one is left; `finish` tells whether that is the end.
  @_lifetime(copy self)
  public mutating func next() throws(RecordError) -> RecordView? {
    guard let header = RecordHeader(bytes, at: position) else { return nil }
    guard header.length <= RecordHeader.maximumLength else {
      throw RecordError(offset: base + UInt64(position), problem: .tooLong(length: header.length))
    }
    let start = position + RecordHeader.size
    guard header.length <= bytes.byteCount - start else { return nil }
    let offset = base + UInt64(position)
    position = start + header.length
    return RecordView(
      offset: offset, walStart: header.walStart, payload: bytes.extracting(start..<position))
  }

  /// Checks that the bytes end where a record ends.
  public func finish() throws(RecordError) {
    let left = bytes.byteCount - position
    guard left > 0 else { return }
    guard let header = RecordHeader(bytes, at: position) else {
      throw RecordError(offset: base + UInt64(position), problem: .cutInHeader(left: left))
    }
    throw RecordError(
      offset: base + UInt64(position),
      problem: .cutInPayload(length: header.length, left: left - RecordHeader.size))
  }
}
