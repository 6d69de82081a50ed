/// How a rehearsal went. A value: shown, and kept as JSON.
public struct RehearsalCourse: Sendable, Codable, Hashable {
  /// One part of it, and how long it took.
  public struct Part: Sendable, Codable, Hashable {
    /// `copy`, `expand`, `backfill`, `constrain`, `verify`, `rollback`, `compare`.
    public var name: String
    /// Milliseconds.
    public var ms: Int64
  }

  /// Where: `schema crossfade_rehearsal_x of database ledger`.
  public var place: String
  /// Rows of the clone.
  public var rows: Int64 = 0
  /// Rows of the table, by the planner's estimate.
  public var tableRows: Int64 = 0
  /// The parts that came to their end, in order.
  public var parts: [Part] = []
  /// How many steps were done, and undone.
  public var steps = 0
  /// Rows that were compared, and none was wrong.
  public var verified: Int64 = 0
  /// Why it failed; nil where it passed.
  public var failure: String?

  /// What it does not show.
  public static let unproven = [
    "locks on the real table: nobody uses the clone; `crossfade plan` names them, and asking for them is what `lock_timeout` bounds",
    "traffic: capture, slot and dual-write take no part",
    "what is bound to the real table alone: triggers, views, policies, foreign keys, partitions",
    "statuses outside of the sample: `crossfade check` looks at all of them",
    "time: the clone is unlogged, so nothing of it was written to the WAL or sent to a standby",
  ]
}

/// What is told of a rehearsal while it goes.
public enum RehearsalNews: Sendable {
  /// Where it will be, and the schema of the clone, with which its names begin.
  case begins(place: String, schema: String)
  /// What an earlier run left is removed.
  case clears
  /// The clone is filled.
  case copied(rows: Int64, of: Int64, ms: Int64)
  /// A step is under way, or over.
  case step(StepNews)
  /// The backfill of the clone is done.
  case backfilled(rows: Int64, ms: Int64)
  /// The clone was compared row by row.
  case verified(rows: Int64, ms: Int64)
  /// The clone is what it was before.
  case compared(ms: Int64)
}
