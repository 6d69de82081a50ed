public import Postgres

/// What is known of a step: its row of `crossfade.step`.
public struct StepRecord: Sendable, Hashable {
  /// How it stands.
  public enum State: String, Sendable, CaseIterable {
    /// Looked at, not begun. Set when a command begins; survives.
    case pending
    /// Begun by a session that has not said how it ended: at work, or killed. Set before the first attempt.
    case running
    /// Done by us. Set in its commit, or right after it.
    case done
    /// It stood before we came, and is not ours to undo. Set when it was looked for.
    case found
    /// Done once, and undone. Set in the commit of its way back.
    case undone
    /// The last attempt failed; nothing of it stands, but for what its leftovers query finds.
    case failed
  }

  /// The step's id.
  public var id: String
  /// How it stands.
  public var state: State
  /// What it does, as it was said then.
  public var title: String
  /// The statements that undo it, as they were then.
  public var wayBack: [String]
  /// How often the lock was asked for.
  public var attempts: Int
  /// Milliseconds that it was waited for.
  public var lockWait: Int64?
  /// Who held it, as JSON.
  public var blockers: String
  /// Why it failed.
  public var error: String?

  /// All rows of a slot, in the order in which they were begun.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> [StepRecord] {
    let purpose = "read the steps of the migration"
    guard
      try connection.query("SELECT to_regclass('crossfade.step') IS NOT NULL", purpose: purpose).boolean(0, 0)
    else { return [] }
    let rows = try connection.query(
      """
      SELECT step, state, title, way_back::text, attempts, lock_wait_ms, blockers::text, error
        FROM crossfade.step WHERE slot = $1 ORDER BY started_at NULLS LAST, step
      """, [.text(slot)], purpose: purpose)
    return (0..<rows.rowCount).compactMap { row in
      guard let id = rows[row, 0], let state = rows[row, 1].flatMap({ State(rawValue: $0) }) else {
        return nil
      }
      return StepRecord(
        id: id, state: state, title: rows[row, 2] ?? "",
        wayBack: rows[row, 3].flatMap(JSONStrings.parse) ?? [],
        attempts: Int(rows.integer(row, 4) ?? 0), lockWait: rows.integer(row, 5),
        blockers: rows[row, 6] ?? "[]", error: rows[row, 7])
    }
  }
}
