/// Where a record stands in the bytes of its frame. It owns nothing, so that walking costs no reference counting.
struct RecordPlace {
  /// Where its message begins, after the record's prefix.
  let start: Int
  /// Where its message ends.
  let end: Int
  /// The message's first byte; 0 of an empty one.
  let tag: UInt8

  var count: Int { end - start }
}

extension UnsafeRawBufferPointer {
  /// The record that begins at `offset`; nil at the end. What it gives lies within the bytes.
  @inline(__always)
  func record(at offset: Int) throws(ChangeLogError) -> RecordPlace? {
    let left = count - offset
    guard left > 0 else { return nil }
    guard left >= LogFormat.recordPrefix else {
      throw .malformedRecord(offset: offset, reason: "the bytes end within its prefix")
    }
    let length = Int(bigEndian(at: offset, as: UInt32.self))
    guard left - LogFormat.recordPrefix >= length else {
      throw .malformedRecord(offset: offset, reason: "the bytes end within its payload")
    }
    let start = offset + LogFormat.recordPrefix
    return RecordPlace(start: start, end: start + length, tag: length > 0 ? self[start] : 0)
  }
}
