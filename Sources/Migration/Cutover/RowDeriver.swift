import Postgres

/// Who derives rows as they stand, whoever changed them last: that would undo what a new writer has just written.
///
/// Each of them takes its lock first and looks at the direction after. So whoever asks for another direction first, and looks for
/// them after, sees each one that has not seen the direction.
enum RowDeriver {
  private static let locks = ["crossfade backfill", "crossfade replay", "crossfade quarantine"]

  /// One that is at work on a slot; nil when none is.
  static func find(slot: String, on connection: Connection) throws(PostgresError) -> LockHolder? {
    for lock in locks {
      if let holder = try LockHolder.find(lock, slot, on: connection) { return holder }
    }
    return nil
  }
}
