/// A recording that cannot be read on, and where.
public struct RecordingError: Error, Hashable, Sendable {
  /// Why.
  public enum Reason: Hashable, Sendable {
    /// The records themselves are damaged.
    case record(RecordError)
    /// A record's bytes are no message.
    case message(DecodeError)
    /// A message cannot stand where it stands.
    case order(AssemblyError)
  }

  /// The byte, counted from the first of the file.
  public var byte: UInt64
  /// Why.
  public var reason: Reason

  /// An error from its parts.
  public init(byte: UInt64, reason: Reason) {
    self.byte = byte
    self.reason = reason
  }
}

extension RecordingError: CustomStringConvertible {
  /// One sentence: place and reason.
  public var description: String {
    switch reason {
    case .record(let error): "byte \(byte): \(error.summary)"
    case .message(let error): "byte \(byte): \(error)"
    case .order(let error): "byte \(byte): \(error)"
    }
  }

  /// What to do about it.
  public var hint: String {
    switch reason {
    case .record(let error):
      // What is wrong from its first byte on is most likely another kind of file.
      if byte == 0 {
        return
          "this is no recording, or less than its first message; a segment of the change log is read by: "
          + "lz4 -dc SEGMENT | crossfade decode -"
      }
      switch error.problem {
      case .tooLong: return "the recording is damaged here, or in a record before"
      case .cutInHeader, .cutInPayload:
        return "the recording is cut short; the transactions complete before this were printed"
      }
    case .message(let error):
      switch error.problem {
      case .notSpoken(let needs, _): return "leave --protocol away, or say --protocol \(needs.rawValue)"
      default:
        return error.message == MessageTag.streamAbort.rawValue
          ? "the recording is damaged, or --streaming does not say how it was recorded"
          : "the recording is damaged here"
      }
    case .order(let error):
      switch error {
      case .unknownRelation, .unknownTransaction:
        return "the recording misses what came before: record from where the connection begins"
      default: return "the recording is damaged: a message is missing, doubled or changed"
      }
    }
  }
}

/// What a recording's reader stopped for: the recording, or the place its lines go to.
public enum RecordingFailure<Output: Error>: Error {
  /// The recording is damaged.
  case recording(RecordingError)
  /// Lines could not be kept or written.
  case output(Output)
}
