public import PGOutput

/// What opening a log cut from its end.
public struct RecoveryReport: Hashable, Sendable, CustomStringConvertible {
  /// Why there was something to cut.
  public enum Reason: String, Hashable, Sendable {
    /// The last write did not reach the disk whole.
    case tornFrame = "the last write was not whole"
    /// The writer ended within a transaction; the source sends it again from its start.
    case unfinishedTransaction = "the last transaction was not whole"
  }

  /// The segment's path.
  public let segment: String
  /// The file's new length.
  public let offset: UInt64
  /// Bytes cut from there to the old end.
  public let bytesCut: UInt64
  /// End of the last whole transaction: where the log goes on.
  public let position: LSN
  /// Why.
  public let reason: Reason

  /// One sentence for an operator.
  public var description: String {
    "cut \(bytesCut) bytes from \(segment) at byte \(offset), after \(position): \(reason.rawValue)"
  }
}
