public import Postgres

extension ReadsFlag {
  /// The flag of a slot; one that nobody ever turned has 0 percent.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> ReadsFlag {
    let purpose = "read which column applications are told to read"
    guard
      try connection.query("SELECT to_regclass('crossfade.reads') IS NOT NULL", purpose: purpose).boolean(
        0, 0)
    else { return ReadsFlag(slot: slot) }
    let rows = try connection.query(
      """
      SELECT percent, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), by_role
        FROM crossfade.reads WHERE slot = $1
      """, [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1, let percent = rows.integer(0, 0) else { return ReadsFlag(slot: slot) }
    return ReadsFlag(slot: slot, percent: Int(percent), since: rows[0, 1], role: rows[0, 2])
  }

  /// The statement that turns it, complete, as the audit trail shows it.
  static func statement(slot: String, percent: Int) -> String {
    "INSERT INTO crossfade.reads (slot, percent) VALUES (\(SQLText.literal(slot)), \(percent)) "
      + "ON CONFLICT (slot) DO UPDATE SET percent = EXCLUDED.percent, since = EXCLUDED.since, by_role = EXCLUDED.by_role"
  }
}
