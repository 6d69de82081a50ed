public import PGOutput

/// What of a log may be dropped. Without any of `age`, `bytes` and `before` nothing is.
public struct RetentionRules: Hashable, Sendable {
  /// Segments that were sealed so many seconds ago, or earlier.
  public var age: Int64?
  /// The oldest segments, while all of them together take more than this.
  public var bytes: UInt64?
  /// Segments of which everything ends here or before.
  public var before: LSN?
  /// A reader with more bytes of the log before it holds nothing any more; nil: readers hold for ever. The dual-write
  /// always holds.
  public var readerLag: UInt64?
  /// Whether no reader holds anything, except the dual-write.
  public var isPastReaders = false
  /// What must have been archived before it is dropped.
  public var archive = Archiving.none
  /// What the slot has not confirmed is not dropped, where that is known.
  public var confirmed: LSN?

  /// What must be known of a segment's copy in the archive.
  public enum Archiving: Int, Hashable, Comparable, Sendable {
    /// Nothing: there is no archive.
    case none
    /// The archive command has ended with status 0.
    case trusted
    /// It was brought back, and was what had been archived.
    case verified

    /// The less certain first.
    public static func < (a: Archiving, b: Archiving) -> Bool { a.rawValue < b.rawValue }
  }

  /// Rules; nil stands for "no such rule".
  public init(age: Int64? = nil, bytes: UInt64? = nil, before: LSN? = nil, readerLag: UInt64? = nil) {
    self.age = age
    self.bytes = bytes
    self.before = before
    self.readerLag = readerLag
  }

  /// Whether anything can be dropped at all.
  public var isEmpty: Bool { age == nil && bytes == nil && before == nil }
}
