import DualWrite
public import Postgres

/// `crossfade.control`: what operators want of a backfill, for those who have SQL and no socket.
public enum WishTable {
  /// The table and its functions.
  static let control = ControlTable("control", [table] + functions.map(\.sql))

  private static let table = """
    CREATE TABLE IF NOT EXISTS crossfade.control (
      slot text PRIMARY KEY,
      paused boolean NOT NULL DEFAULT false,
      pace double precision NOT NULL DEFAULT 1 CHECK (pace >= 0.01 AND pace <= 1),
      batch integer CHECK (batch BETWEEN 1 AND 100000),
      by text NOT NULL DEFAULT session_user,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """

  /// `crossfade.backfill_pause('slot')` and its like.
  static let functions: [(name: String, sql: String)] = [
    (
      "backfill_set",
      """
      CREATE OR REPLACE FUNCTION crossfade.backfill_set(slot text, batch integer DEFAULT NULL, pace double precision DEFAULT NULL,
                                             paused boolean DEFAULT NULL, by text DEFAULT session_user)
      RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $$
        INSERT INTO crossfade.control AS c (slot, paused, pace, batch, by)
        VALUES ($1, coalesce($4, false), coalesce($3, 1), nullif($2, 0), $5)
        ON CONFLICT ON CONSTRAINT control_pkey DO UPDATE
          SET paused = coalesce($4, c.paused), pace = coalesce($3, c.pace),
              batch = CASE WHEN $2 IS NULL THEN c.batch ELSE nullif($2, 0) END, by = $5, at = clock_timestamp()
      $$
      """
    ),
    (
      "backfill_pause",
      """
      CREATE OR REPLACE FUNCTION crossfade.backfill_pause(slot text) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS
      $$ SELECT crossfade.backfill_set($1, paused => true) $$
      """
    ),
    (
      "backfill_resume",
      """
      CREATE OR REPLACE FUNCTION crossfade.backfill_resume(slot text) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS
      $$ SELECT crossfade.backfill_set($1, paused => false) $$
      """
    ),
  ]

  /// Makes what is missing.
  public static func ensure(on connection: Connection) throws(PostgresError) {
    let purpose = "make table crossfade.control"
    let there = try connection.query(
      """
      SELECT to_regclass('crossfade.control') IS NOT NULL, (SELECT count(*) FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = 'crossfade'::regnamespace AND p.proname LIKE 'backfill%') >= $1::bigint
      """, [.integer(functions.count)], purpose: purpose)
    if there.boolean(0, 0), there.boolean(0, 1) { return }
    try connection.transaction(purpose: purpose) { () throws(PostgresError) in
      try connection.query(table, purpose: purpose)
      for function in functions {
        try connection.query(function.sql, purpose: purpose)
      }
    }
  }

  /// What is wanted of a slot's backfill; what nothing is said of is as it is by itself.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> ControlState {
    var state = ControlState()
    let purpose = "read what is wanted of the backfill"
    guard
      try connection.query("SELECT to_regclass('crossfade.control') IS NOT NULL", purpose: purpose).boolean(
        0, 0)
    else { return state }
    let rows = try connection.query(
      "SELECT paused, pace, batch, by, date_trunc('second', at) FROM crossfade.control WHERE slot = $1",
      [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1 else { return state }
    state.isPaused = rows.boolean(0, 0)
    state.pace = rows[0, 1].flatMap(Double.init) ?? 1
    state.batch = rows.integer(0, 2).flatMap { Int(exactly: $0) }
    state.by = rows[0, 3]
    state.at = rows[0, 4]
    return state
  }

  /// Writes down what a command wants.
  public static func write(
    _ command: ControlCommand, slot: String, by: String, on connection: Connection
  ) throws(PostgresError) {
    let (paused, batch, pace): (String?, Int?, Double?)
    switch command {
    case .pause: (paused, batch, pace) = ("true", nil, nil)
    case .resume: (paused, batch, pace) = ("false", nil, nil)
    case .set(let rows, let share): (paused, batch, pace) = (nil, rows, share)
    case .why, .status: return
    }
    try connection.query(
      "SELECT crossfade.backfill_set($1, $2::integer, $3::double precision, $4::boolean, $5)",
      [
        .text(slot), .optional(batch.map { "\($0)" }), .optional(pace.map { "\($0)" }), .optional(paused),
        .text(by),
      ], purpose: "write down `\(command.words)`")
  }
}
