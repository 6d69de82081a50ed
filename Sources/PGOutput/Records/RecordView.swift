/// One record, over the bytes it stands in.
public struct RecordView: ~Escapable {
  /// Where the record begins, counted from the first byte of the file.
  public let offset: UInt64
  /// Where the message stands in the write-ahead log; `0/0` where the server did not say.
  public let walStart: LSN
  /// The message.
  public let payload: RawSpan

  @inlinable
  @_lifetime(copy payload)
  init(offset: UInt64, walStart: LSN, payload: RawSpan) {
    self.offset = offset
    self.walStart = walStart
    self.payload = payload
  }

  /// Where the payload begins, counted from the first byte of the file.
  public var payloadOffset: UInt64 { offset + UInt64(RecordHeader.size) }
}

/// Records that are damaged.
public struct RecordError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Problem: Hashable, Sendable {
    /// The length cannot be that of a message.
    case tooLong(length: Int)
    /// The end comes within the header.
    case cutInHeader(left: Int)
    /// The end comes within the payload.
    case cutInPayload(length: Int, left: Int)
  }

  /// Where the damaged record begins, counted from the first byte of the file.
  public var offset: UInt64
  /// What is wrong.
  public var problem: Problem

  /// An error from its parts.
  public init(offset: UInt64, problem: Problem) {
    self.offset = offset
    self.problem = problem
  }

  /// One sentence.
  public var description: String { "byte \(offset): \(summary)" }

  /// The sentence without the place.
  public var summary: String {
    switch problem {
    case .tooLong(let length):
      "a record of \(length) bytes is longer than any message of PostgreSQL"
    case .cutInHeader(let left):
      "the file ends within a record: \(left) of the header's \(RecordHeader.size) bytes are there"
    case .cutInPayload(let length, let left):
      "the file ends within a record: \(left) of the message's \(length) bytes are there"
    }
  }
}
