public import ChangeLog
import Derivation
public import PGOutput
public import Postgres

/// Where the repair of a slot stands: a row of `crossfade.replay`, written in the commit of the rows.
public struct RepairRecord: Hashable, Sendable {
  /// What was asked for: a repair goes on only when it is asked for the same.
  public struct Request: Hashable, Sendable {
    /// Where it begins, as it was written.
    public var from: String
    /// Where it ends, as it was written; nil for the log's end.
    public var to: String?
    /// The keys, in a fixed order; nil for all.
    public var keys: String?
    /// The states of the map given, in a fixed order; nil for the target's own.
    public var map: String?
    /// The definition's columns and tables: another definition derives other rows.
    public var derive: String
    /// The source whose log it is.
    public var systemIdentifier: UInt64

    /// A request from its parts.
    public init(
      from: String, to: String?, keys: String?, map: String?, derive: String, systemIdentifier: UInt64
    ) {
      self.from = from
      self.to = to
      self.keys = keys
      self.map = map
      self.derive = derive
      self.systemIdentifier = systemIdentifier
    }
  }

  /// What was asked for.
  public var request: Request
  /// Where it ends: fixed when it began.
  public var through: LSN
  /// Everything up to here is done.
  public var position: Position
  /// Changes walked, those of rows that are gone included.
  public var changes: Int64
  /// Rows written.
  public var written: Int64
  /// Rows that the target refused.
  public var refused: Int64
  /// How many gaps were crossed.
  public var gaps: Int64
  /// Whether it is done.
  public var finished: Bool

  static let table = """
    CREATE TABLE IF NOT EXISTS crossfade.replay (
      slot text PRIMARY KEY,
      asked_from text NOT NULL,
      asked_to text,
      keys text,
      map text,
      derive text NOT NULL,
      system_identifier numeric(20) NOT NULL,
      through pg_lsn NOT NULL,
      end_lsn pg_lsn NOT NULL,
      ordinal numeric(20),
      changes bigint NOT NULL DEFAULT 0,
      written bigint NOT NULL DEFAULT 0,
      refused bigint NOT NULL DEFAULT 0,
      gaps jsonb NOT NULL DEFAULT '[]',
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz
    )
    """

  static func ensure(on connection: Connection) throws(PostgresError) {
    guard try !exists(on: connection) else { return }
    try connection.query(table, purpose: "make table crossfade.replay")
    try connection.query(
      "ALTER TABLE crossfade.replay ADD COLUMN IF NOT EXISTS derive text NOT NULL DEFAULT ''",
      purpose: "complete table crossfade.replay")
  }

  /// Whether the table is there, with all its columns.
  private static func exists(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
                      WHERE attrelid = to_regclass('crossfade.replay') AND attname = 'derive' AND NOT attisdropped)
      """, purpose: "look up table crossfade.replay"
    ).boolean(0, 0)
  }

  /// The repair of a slot that was begun last; nil when none was.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> RepairRecord? {
    guard try exists(on: connection) else { return nil }
    let purpose = "read where the replay stands"
    let rows = try connection.query(
      """
      SELECT asked_from, asked_to, keys, map, system_identifier, through, end_lsn, ordinal, changes, written, refused,
             jsonb_array_length(gaps), finished_at IS NOT NULL, derive
        FROM crossfade.replay WHERE slot = $1
      """, [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1 else { return nil }
    guard let from = rows[0, 0], let system = rows[0, 4].flatMap({ UInt64($0) }),
      let through = rows[0, 5].flatMap({ LSN($0) }), let end = rows[0, 6].flatMap({ LSN($0) })
    else { throw .unexpected(purpose: purpose, what: "a row that does not read as one") }
    return RepairRecord(
      request: Request(
        from: from, to: rows[0, 1], keys: rows[0, 2], map: rows[0, 3], derive: rows[0, 13] ?? "",
        systemIdentifier: system),
      through: through,
      position: Position(endLSN: end, ordinal: rows[0, 7].flatMap { UInt64($0) } ?? Position.whole),
      changes: rows.integer(0, 8) ?? 0, written: rows.integer(0, 9) ?? 0, refused: rows.integer(0, 10) ?? 0,
      gaps: rows.integer(0, 11) ?? 0, finished: rows.boolean(0, 12))
  }

  /// Forgets the repair of a slot that is unfinished, as `--restart` does. False, and nothing is done, while it is at work.
  public static func forgetUnfinished(slot: String, on connection: Connection) throws(PostgresError) -> Bool {
    let isFree = try connection.query(
      "SELECT pg_catalog.pg_try_advisory_xact_lock(\(lockKeys))", [.text(slot)],
      purpose: "take the replay's lock"
    ).boolean(0, 0)
    guard isFree else { return false }
    try connection.query(
      "DELETE FROM crossfade.replay WHERE slot = $1 AND finished_at IS NULL", [.text(slot)],
      purpose: "forget the replay")
    return true
  }

  /// The advisory lock of a slot's repair: one at a time. `$1` is the slot.
  static let lockKeys = "hashtext('crossfade replay'), hashtext($1)"

  /// Begins a repair, in the place of one that was there.
  static func begin(
    slot: String, request: Request, range: ResolvedRange, on connection: Connection
  ) throws(PostgresError) {
    try connection.query(
      """
      INSERT INTO crossfade.replay
             (slot, asked_from, asked_to, keys, map, derive, system_identifier, through, end_lsn, ordinal)
      VALUES ($1, $2, $3, $4, $5, $6, $7::numeric, $8::pg_lsn, $9::pg_lsn, $10::numeric)
      ON CONFLICT (slot) DO UPDATE
         SET asked_from = EXCLUDED.asked_from, asked_to = EXCLUDED.asked_to, keys = EXCLUDED.keys, map = EXCLUDED.map,
             derive = EXCLUDED.derive, system_identifier = EXCLUDED.system_identifier, through = EXCLUDED.through, end_lsn = EXCLUDED.end_lsn,
             ordinal = EXCLUDED.ordinal, changes = 0, written = 0, refused = 0, gaps = '[]',
             started_at = clock_timestamp(), updated_at = clock_timestamp(), finished_at = NULL
      """,
      [
        .text(slot), .text(request.from), .optional(request.to), .optional(request.keys),
        .optional(request.map), .text(request.derive), .integer(request.systemIdentifier),
        .text("\(range.through)"),
        .text("\(range.after.endLSN)"), range.after.ordinalParameter,
      ], purpose: "record the replay")
  }
}

extension Position {
  /// NULL for the whole transaction.
  var ordinalParameter: Parameter { ordinal == Self.whole ? .null : .integer(ordinal) }
}
