import ChangeLog

/// What a look found before a repair: where it would begin. Between the look and the first write somebody may think it over
/// for an hour, and another replay may begin. A value.
public struct RepairStanding: Sendable {
  /// What remains to be done.
  public internal(set) var range: ResolvedRange
  /// Whether that is the rest of one that was begun before.
  public internal(set) var isResumed: Bool
  /// The record that was there.
  let found: RepairRecord?

  /// Whether the repair may be begun or gone on with, now that `now` stands in the record.
  ///
  /// What was asked for by the same words, to the same end, is one repair, whoever began it. What else stands there must be
  /// finished, or be what the look found and was told to forget.
  func admits(_ now: RepairRecord?, _ request: RepairRecord.Request) -> Bool {
    if let now, now.request == request, now.through == range.through { return true }
    guard !isResumed else { return false }
    return now.map { $0.finished || $0 == found } ?? true
  }
}
