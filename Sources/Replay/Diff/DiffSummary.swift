public import ChangeLog
public import PGOutput

/// What a comparison came to.
public struct DiffSummary: Sendable {
  /// What was compared.
  public var range: ResolvedRange
  /// Changes of the table in the range.
  public var changes: UInt64 = 0
  /// Keys looked at: one that comes again after a window of others is looked at, and counted, again.
  public var lookedAt: UInt64 = 0
  /// Rows that differed at a first look, and not when what came later was known.
  public var explained: UInt64 = 0
  /// Differences by class.
  public var counts: [Difference.Class: UInt64] = [:]
  /// Rows that differ in a way that a change may explain which is not in the log, or lost in a gap.
  public var undecided: UInt64 = 0
  /// Up to where the log was read for that.
  public var logRead: LSN
  /// Of the keys asked for, those that no change in the range has.
  public var unseen: [RowKey] = []
  /// What could not be read.
  public var gaps: [LogGap] = []

  init(range: ResolvedRange) {
    self.range = range
    logRead = range.after.endLSN
  }

  /// All differences.
  public var differences: UInt64 { counts.values.reduce(0, +) }
}
