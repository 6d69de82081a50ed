import DualWrite
import Postgres

/// The tables of the backfill, and how those of older versions become them.
enum BackfillTable {
  /// The version of the row; a newer one is refused.
  static let format = 2

  /// All that a backfill needs, as `expand` makes them.
  static let tables = [
    ControlTable("backfill", [statement]), ControlTable("backfill_skipped", [skipped]), WishTable.control,
  ]

  private static let statement = create(first + added.map { "\($0.name) \($0.definition)" })

  /// The columns of the first version.
  private static let first = [
    "slot text PRIMARY KEY", "last_key text[]", "bound text[]", "rows bigint NOT NULL DEFAULT 0",
    "written bigint NOT NULL DEFAULT 0", "expected bigint NOT NULL",
    "started_at timestamptz NOT NULL DEFAULT clock_timestamp()",
    "updated_at timestamptz NOT NULL DEFAULT clock_timestamp()", "finished_at timestamptz",
  ]

  /// The table as the first version made it.
  static let firstStatement = create(first)

  private static func create(_ columns: [String]) -> String {
    let lines = columns.map { "  \($0)" }.joined(separator: ",\n")
    return "CREATE TABLE IF NOT EXISTS crossfade.backfill (\n\(lines)\n) WITH (fillfactor = 20)"
  }

  /// What came after the first version.
  static let added: [(name: String, definition: String)] = [
    ("format", "integer NOT NULL DEFAULT \(format)"),
    ("same", "bigint NOT NULL DEFAULT 0"), ("unmapped", "bigint NOT NULL DEFAULT 0"),
    ("refused", "bigint NOT NULL DEFAULT 0"), ("skipped", "bigint NOT NULL DEFAULT 0"),
    ("overtaken", "bigint NOT NULL DEFAULT 0"), ("page_unmapped", "bigint NOT NULL DEFAULT 0"),
    ("active_ms", "double precision NOT NULL DEFAULT 0"),
    ("throttled_ms", "double precision NOT NULL DEFAULT 0"),
    ("paused_ms", "double precision NOT NULL DEFAULT 0"), ("shut_ms", "double precision NOT NULL DEFAULT 0"),
    ("state", "text NOT NULL DEFAULT 'starting'"), ("reason", "text"),
    ("state_since", "timestamptz NOT NULL DEFAULT clock_timestamp()"), ("batch", "integer"),
    ("pace", "double precision"), ("rate", "double precision"), ("eta_ms", "double precision"),
    ("eta_late_ms", "double precision"), ("drift", "text"),
  ]

  private static let skipped = """
    CREATE TABLE IF NOT EXISTS crossfade.backfill_skipped (
      slot text NOT NULL,
      key jsonb NOT NULL,
      since timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (slot, key)
    )
    """

  /// Makes what is missing; nothing is run when all is there, so that a role without CREATE can use it.
  static func ensure(on connection: Connection) throws(PostgresError) {
    let purpose = "make table crossfade.backfill"
    let columns = try columns(on: connection)
    if columns.isEmpty { try connection.query(statement, purpose: purpose) }
    let missing = columns.isEmpty ? [] : added.filter { !columns.contains($0.name) }
    if !missing.isEmpty {
      let additions = missing.map { "ADD COLUMN IF NOT EXISTS \($0.name) \($0.definition)" }
      try connection.transaction(purpose: purpose) { () throws(PostgresError) in
        try connection.query(
          "ALTER TABLE crossfade.backfill \(additions.joined(separator: ", "))", purpose: purpose)
        if !columns.contains("same") {
          // The first version counted neither; those that it did not write were right or in quarantine.
          try connection.query("UPDATE crossfade.backfill SET same = rows - written", purpose: purpose)
        }
      }
    }
    let there = try connection.query(
      "SELECT to_regclass('crossfade.backfill_skipped') IS NOT NULL", purpose: purpose)
    if !there.boolean(0, 0) { try connection.query(skipped, purpose: purpose) }
  }

  /// The columns of `crossfade.backfill`; none when it is not there.
  static func columns(on connection: Connection) throws(PostgresError) -> Set<String> {
    let rows = try connection.query(
      """
      SELECT a.attname FROM pg_catalog.pg_attribute AS a
       WHERE a.attrelid = to_regclass('crossfade.backfill') AND a.attnum > 0 AND NOT a.attisdropped
      """, purpose: "look up table crossfade.backfill")
    return Set((0..<rows.rowCount).compactMap { rows[$0, 0] })
  }
}
