public import Postgres

/// A rehearsal that was carried out to its end: a row of `crossfade.rehearsal`.
public struct RehearsalProof: Sendable, Hashable {
  /// What came of it.
  public enum Result: String, Sendable {
    /// Forward, verified, and back: nothing differed, and nothing was left.
    case passed
    /// A step failed, a row differed, or something stayed behind.
    case failed
  }

  /// When it ended, in UTC.
  public var at: String
  /// Seconds since then, by the server's clock.
  public var age: Double
  /// The role that rehearsed.
  public var role: String
  /// The plan that was rehearsed: its whole hash.
  public var planHash: String
  /// The program's version.
  public var toolVersion: String
  /// What came of it.
  public var result: Result
  /// Rows, durations and what was looked at, as JSON.
  public var details: String

  /// All of a slot, the oldest first; none where no rehearsal was ever kept.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> [RehearsalProof] {
    let purpose = "read the rehearsals"
    guard
      try connection.query(
        "SELECT to_regclass('\(RehearsalTable.name)') IS NOT NULL", purpose: purpose
      ).boolean(0, 0)
    else { return [] }
    let rows = try connection.query(
      """
      SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), extract(epoch FROM clock_timestamp() - at),
             by_role, plan_hash, tool_version, result, details::text
        FROM \(RehearsalTable.name) AS r WHERE slot = $1 ORDER BY r.at
      """, [.text(slot)], purpose: purpose)
    return (0..<rows.rowCount).compactMap { row in
      guard let result = rows[row, 5].flatMap({ Result(rawValue: $0) }) else { return nil }
      return RehearsalProof(
        at: rows[row, 0] ?? "", age: rows[row, 1].flatMap(Double.init) ?? 0, role: rows[row, 2] ?? "",
        planHash: rows[row, 3] ?? "", toolVersion: rows[row, 4] ?? "", result: result,
        details: rows[row, 6] ?? "{}")
    }
  }

  /// The latest that passed of a plan; nil where there is none.
  public static func latest(
    slot: String, planHash: String, on connection: Connection
  ) throws(PostgresError) -> RehearsalProof? {
    try load(slot: slot, on: connection).last { $0.result == .passed && $0.planHash == planHash }
  }
}
