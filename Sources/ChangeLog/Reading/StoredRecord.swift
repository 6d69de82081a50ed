package import PGOutput

/// One record of a frame, with the frame's bytes.
package struct StoredRecord: Sendable {
  /// The frame, unpacked.
  let storage: LogBytes
  /// Which of its bytes are the message.
  let range: Range<Int>
  /// The LSN that came with the message.
  package let walStart: LSN
  /// The message's first byte; 0 of an empty one.
  package let tag: UInt8

  /// Calls `body` with the message's bytes.
  package func withPayload<R>(_ body: (RawSpan) throws(ChangeLogError) -> R) throws(ChangeLogError) -> R {
    try withUnsafePayload { payload throws(ChangeLogError) in try body(payload.bytes) }
  }

  /// Calls `body` with the message's bytes, which are valid only in there.
  package func withUnsafePayload<R>(
    _ body: (UnsafeRawBufferPointer) throws(ChangeLogError) -> R
  ) throws(ChangeLogError) -> R {
    try storage.withUnsafeBytes { bytes throws(ChangeLogError) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
  }

  /// Calls `body` with the message.
  func withMessage<R>(_ body: (borrowing Message) throws(ChangeLogError) -> R) throws(ChangeLogError) -> R {
    try withPayload { payload throws(ChangeLogError) in
      let message: Message
      do throws(DecodeError) { message = try Message(decoding: payload) } catch { throw malformed(error) }
      return try body(message)
    }
  }

  /// Calls `body` with the row that the message is of, in place. Throws when it is no sound one.
  func withRow<R>(_ body: (RowBytes) throws(ChangeLogError) -> R) throws(ChangeLogError) -> R {
    defer { withExtendedLifetime(storage) {} }
    let place = RecordPlace(start: range.lowerBound, end: range.upperBound, tag: tag)
    guard let row = RowBytes(storage.unowned, place) else { throw malformedRow() }
    return try body(row)
  }

  /// The error for a message that is not what it should be.
  func malformed(_ reason: some CustomStringConvertible) -> ChangeLogError {
    .malformedRecord(offset: range.lowerBound - LogFormat.recordPrefix, reason: reason.description)
  }
  /// The error for a row's message that its walk in place did not find sound: the decoder's own.
  func malformedRow() -> ChangeLogError {
    do throws(ChangeLogError) {
      return try withPayload { payload throws(ChangeLogError) in
        do throws(DecodeError) { _ = try RowChange(decoding: payload) } catch { return malformed(error) }
        return malformed("the message is no row's")
      }
    } catch { return error }
  }
}
