public import PGOutput

/// A part of a log that could not be read: everything that ended after `after` and before `next` is unknown.
public struct LogGap: Hashable, Sendable {
  /// What was read last before it.
  public let after: Position
  /// The end of the first transaction that was read after it; nil when the rest of the log is lost.
  public let next: LSN?
  /// Where it begins: the file; the log's directory where no file can be named.
  public let file: String
  /// The byte of the file.
  public let offset: UInt64
  /// What is wrong there.
  public let reason: String

  /// A gap from its parts.
  public init(after: Position, next: LSN?, file: String, offset: UInt64, reason: String) {
    self.after = after
    self.next = next
    self.file = file
    self.offset = offset
    self.reason = reason
  }
}
