public import Postgres

/// Where the backfill of a slot stands: a row of `crossfade.backfill`, written in the commit of the rows.
public struct BackfillProgress: Sendable, Equatable {
  /// The key (its columns' text) up to which rows are done; nil before the first batch.
  public var lastKey: [String]?
  /// The last key of the table when the backfill began; nil for an empty table.
  public var bound: [String]?
  /// Rows looked at.
  public var rows: Int64
  /// Rows that differed and were written.
  public var written: Int64
  /// Rows expected when the backfill began: the planner's estimate, or a count.
  public var expected: Int64
  /// Whether it is done.
  public var finished: Bool

  static let statement = """
    CREATE TABLE IF NOT EXISTS crossfade.backfill (
      slot text PRIMARY KEY,
      last_key text[],
      bound text[],
      rows bigint NOT NULL DEFAULT 0,
      written bigint NOT NULL DEFAULT 0,
      expected bigint NOT NULL,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz
    )
    """

  static func ensure(on connection: Connection) throws(PostgresError) {
    let purpose = "make table crossfade.backfill"
    guard try !exists(on: connection) else { return }
    try connection.query(statement, purpose: purpose)
  }

  private static func exists(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT to_regclass('crossfade.backfill') IS NOT NULL", purpose: "look up table crossfade.backfill"
    ).boolean(0, 0)
  }

  /// The progress of a slot; nil when none has begun.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> BackfillProgress?
  {
    guard try exists(on: connection) else { return nil }
    let rows = try connection.query(
      """
      SELECT to_json(last_key), to_json(bound), rows, written, expected, finished_at IS NOT NULL
        FROM crossfade.backfill WHERE slot = $1
      """, [.text(slot)], purpose: "read the backfill's progress")
    guard rows.rowCount == 1 else { return nil }
    return BackfillProgress(
      lastKey: rows[0, 0].flatMap(JSONStrings.parse), bound: rows[0, 1].flatMap(JSONStrings.parse),
      rows: rows.integer(0, 2) ?? 0, written: rows.integer(0, 3) ?? 0, expected: rows.integer(0, 4) ?? 0,
      finished: rows.boolean(0, 5))
  }
}
