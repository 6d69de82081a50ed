import PGOutput

/// Bytes at the end of a log that make no sense. A last write that a crash tore cannot be told from one that was whole
/// and then rotted, so both are called damage; but who reads of it is told that it may be no more than that.
enum TornWrite {
  /// Said of damage that a crash may have left, and behind which nothing stands that was known to be durable.
  static let doubt =
    "; nothing says that it was ever whole: a crash may have torn the last write, and then the next `crossfade run` "
    + "cuts it off and receives it again"

  /// `reason`, with the doubt where there is one, as recovery would judge it.
  static func explained(
    _ reason: String, _ offset: UInt64, after watermark: LSN, of file: LogFile, limit: UInt64, isLast: Bool
  ) throws(ChangeLogError) -> String {
    guard isLast,
      try !SegmentRecovery.claimsDurable(beyond: offset, past: watermark, file: file, limit: limit)
    else {
      return reason
    }
    return reason + doubt
  }
}
