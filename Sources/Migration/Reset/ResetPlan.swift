public import DualWrite
public import PGOutput

/// What a reset would do, and what gap it would declare. A value: what is there goes in, sentences come out.
public struct ResetPlan: Sendable, Equatable {
  /// The slot's name.
  public var slot: String
  /// The log's directory.
  public var directory: String
  /// The log; nil when there is none.
  public var log: Log?
  /// The target's checkpoint.
  public var checkpoint: LSN?
  /// Whether a backfill has begun.
  public var hasBackfill: Bool
  /// Up to where an unfinished `replay --apply` has come; nil when there is none.
  public var replay: LSN? = nil
  /// Which way is derived: a backfill is refused once the application may write the new column alone.
  public var direction = Direction.Standing.forward
  /// The slot at the server; nil when there is none.
  public var server: Slot?
  /// Whether the slot shall be dropped.
  public var dropsSlot: Bool

  /// The log, as far as it can be read.
  public struct Log: Sendable, Equatable {
    /// End of its last whole transaction; nil when it is damaged.
    public var end: LSN?
  }

  /// The slot at the server.
  public struct Slot: Sendable, Equatable {
    /// What it was told to be done.
    public var confirmed: LSN?
    /// Why its WAL is gone; nil when it is not.
    public var lost: String?
    /// The server process that reads it.
    public var activePID: Int32?
    /// Whether it sends prepared transactions when they are prepared.
    public var isTwoPhase = false
  }

  /// Whether there is anything to forget.
  public var isEmpty: Bool {
    log == nil && checkpoint == nil && !hasBackfill && replay == nil && !(dropsSlot && server != nil)
  }

  /// The name that the log's directory gets behind its own: `abandoned-` and the end, 16 hex digits.
  public var suffix: String {
    guard let end = log?.end else { return "abandoned-unknown" }
    let digits = String(end.rawValue, radix: 16, uppercase: true)
    return "abandoned-" + String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }

  /// What it does, a sentence each.
  public var steps: [String] {
    var steps: [String] = []
    if log != nil { steps.append("rename \(directory) to \(directory).\(suffix)") }
    if let checkpoint { steps.append("delete the checkpoint of slot \(slot), which stands at \(checkpoint)") }
    if hasBackfill { steps.append("delete the progress of its backfill") }
    if let replay {
      steps.append("forget the unfinished replay --apply, which has come to \(replay) of the log set aside")
    }
    if dropsSlot, server != nil { steps.append("drop replication slot \(slot)") }
    return steps
  }

  /// The changes that the stream will never have seen.
  public var gap: String {
    guard let from = checkpoint ?? log?.end else { return "no gap: nothing was applied before" }
    guard let server, !dropsSlot, let confirmed = server.confirmed else {
      return "the gap: everything committed after \(from) and before the new slot begins"
    }
    guard confirmed > from else {
      return "no gap: slot \(slot) still sends everything after \(confirmed), and \(from) was applied"
    }
    return "the gap: everything committed after \(from) and up to \(confirmed), where slot \(slot) goes on"
  }

  /// What to run next, in order, and why.
  public var next: [String] {
    switch direction {
    case .forward:
      [
        "crossfade run SLOT       captures from now on",
        "crossfade backfill SLOT  derives every row again, those of the gap included",
        "crossfade verify SLOT    shows that none was missed",
      ]
    case .both:
      [
        "crossfade run SLOT       captures from now on; both columns are derived, from the gap's end on",
        "crossfade verify SLOT --restart",
        "                         lists the rows that the gap left out of step: write the old column too where the new one",
        "                         is right, since the backfill derives the new one from it",
        "crossfade cutover SLOT --back --forward-only",
        "                         lets the old column alone count again: before that a backfill is refused",
        "crossfade backfill SLOT  derives every row again, those of the gap included",
        "crossfade verify SLOT    shows that none was missed; then `crossfade cutover SLOT` again",
      ]
    case .rest:
      ["crossfade run SLOT       captures from now on; nothing is derived: the old column is retired"]
    }
  }
}
