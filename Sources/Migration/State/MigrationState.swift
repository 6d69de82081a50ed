public import Postgres

/// How far the migration of a slot has come: its row of `crossfade.migration`.
public struct MigrationState: Sendable, Hashable {
  /// The phase it has reached.
  public var phase: Phase
  /// Since when, in UTC.
  public var since: String
  /// The hash of the plan it follows, where one was accepted.
  public var planHash: String?
  /// The version of the program that wrote it last.
  public var toolVersion: String

  /// The state of a slot; nil when nothing was ever recorded.
  ///
  /// - Throws: `.notReady` where a newer program wrote it.
  public static func load(slot: String, on connection: Connection) throws(MigrationError) -> MigrationState? {
    let purpose = "read the state of the migration"
    let rows: QueryResult
    do throws(PostgresError) {
      guard
        try connection.query("SELECT to_regclass('crossfade.migration') IS NOT NULL", purpose: purpose)
          .boolean(0, 0)
      else { return nil }
      rows = try connection.query(
        """
        SELECT phase, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), plan_hash, tool_version, format
          FROM crossfade.migration WHERE slot = $1
        """, [.text(slot)], purpose: purpose)
    } catch {
      throw .postgres(error)
    }
    guard rows.rowCount == 1 else { return nil }
    guard let phase = Phase(rawValue: rows[0, 0] ?? ""), (rows.integer(0, 4) ?? 0) <= MigrationTables.version
    else {
      throw .notReady(
        what:
          "the state of the migration of slot \(slot) was written by crossfade \(rows[0, 3] ?? "?"), which is newer",
        hint: "run that version, or a newer one; this is \(ToolVersion.current)")
    }
    return MigrationState(
      phase: phase, since: rows[0, 1] ?? "", planHash: rows[0, 2], toolVersion: rows[0, 3] ?? "")
  }

  /// Makes the slot's row where there is none.
  static func begin(slot: String, on connection: Connection) throws(PostgresError) {
    try connection.query(
      """
      INSERT INTO crossfade.migration (slot, phase, tool_version) VALUES ($1, $2, $3) ON CONFLICT (slot) DO NOTHING
      """, [.text(slot), .text(Phase.planned.rawValue), .text(ToolVersion.current)],
      purpose: "begin the account of the migration")
  }

  /// Moves a slot from its phase to another, and says so in the audit trail, in one transaction. Nothing is done where it is
  /// there already.
  ///
  /// - Parameters:
  ///   - onlyForward: leave a later phase alone.
  ///   - from: the one phase that may be left so; nil for any.
  @discardableResult
  public static func enter(
    _ phase: Phase, slot: String, from: Phase? = nil, onlyForward: Bool = true, on connection: Connection
  ) throws(MigrationError) -> Bool {
    func isDue(_ now: Phase) -> Bool {
      now != phase && (!onlyForward || now < phase) && (from == nil || now == from)
    }
    guard let now = try load(slot: slot, on: connection)?.phase, isDue(now) else { return false }
    do throws(PostgresError) {
      return try connection.transaction("BEGIN READ WRITE", purpose: "enter phase \(phase.rawValue)") {
        () throws(PostgresError) in
        // Others, `run` among them, may have moved it since.
        let held = try connection.query(
          "SELECT phase FROM crossfade.migration WHERE slot = $1 FOR UPDATE", [.text(slot)],
          purpose: "enter phase \(phase.rawValue)")
        guard held.rowCount == 1, let now = held[0, 0].flatMap(Phase.init), isDue(now) else { return false }
        try change(from: now, to: phase, slot: slot, on: connection)
        return true
      }
    } catch {
      throw .postgres(error)
    }
  }

  /// Writes another phase down, and says so in the audit trail; part of the transaction it stands in.
  static func change(
    from now: Phase, to phase: Phase, slot: String, on connection: Connection
  ) throws(PostgresError) {
    try connection.query(
      "UPDATE crossfade.migration SET phase = $2, since = clock_timestamp(), tool_version = $3 WHERE slot = $1",
      [.text(slot), .text(phase.rawValue), .text(ToolVersion.current)],
      purpose: "enter phase \(phase.rawValue)")
    var details = AuditEvent.Details()
    details.from = now.rawValue
    details.to = phase.rawValue
    try AuditTrail(slot: slot, connection: connection).append(.init(.phase, details: details))
  }
}
