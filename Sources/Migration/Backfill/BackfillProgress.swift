public import Postgres

/// Where the backfill of a slot stands: a row of `crossfade.backfill`, written in the commit of the rows.
public struct BackfillProgress: Sendable, Equatable {
  /// The key (its columns' text) up to which rows are done; nil before the first batch.
  public var lastKey: [String]?
  /// The last key of the table when the backfill began; nil for an empty table.
  public var bound: [String]?
  /// What became of the rows.
  public var account = BackfillAccount()
  /// Rows expected when the backfill began: the planner's estimate.
  public var expected: Int64
  /// Whether it is done.
  public var finished: Bool
  /// Where its time went.
  public var clocks = BackfillClocks()
  /// What it said of itself last.
  public var note = Note()
  /// The server process that runs it; nil when none does.
  public var runner: Int64?

  /// What a backfill says of itself, for those who look from elsewhere.
  public struct Note: Sendable, Equatable {
    /// `working`, `held`, `paused`, ...
    public var state = "starting"
    /// Why, in a sentence.
    public var reason: String?
    /// Seconds that it has been so.
    public var seconds = 0.0
    /// Rows of a batch.
    public var batch: Int64?
    /// The share of the time that it works.
    public var pace: Double?
    /// Rows a second of work.
    public var rate: Double?
    /// Milliseconds that are left, as likely too short as too long.
    public var eta: Double?
    /// Milliseconds that are left if it goes as in its slow stretches.
    public var etaLate: Double?
    /// How far the expected end has moved, and why.
    public var drift: String?
  }

  /// Rows looked at.
  public var rows: Int64 { account.looked }
  /// Rows that differed and were written.
  public var written: Int64 { account.written }
  /// Whether everything up to the bound was looked at.
  public var isAtEnd: Bool { bound == nil || lastKey == bound }

  /// Makes the tables of the backfill where they are missing.
  static func ensure(on connection: Connection) throws(PostgresError) {
    try BackfillTable.ensure(on: connection)
    try WishTable.ensure(on: connection)
  }

  /// The progress of a slot; nil when none has begun.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> BackfillProgress?
  {
    let purpose = "read the backfill's progress"
    let columns = try BackfillTable.columns(on: connection)
    guard !columns.isEmpty else { return nil }
    let isOld = BackfillTable.added.contains { !columns.contains($0.name) }
    let rows = try connection.query(isOld ? old : current, [.text(slot)], purpose: purpose)
    guard rows.rowCount == 1 else { return nil }
    if let format = rows.integer(0, 6), format > BackfillTable.format {
      throw .unexpected(
        purpose: purpose,
        what: "it was written by a newer crossfade (format \(format), this one knows \(BackfillTable.format))"
      )
    }
    var progress = BackfillProgress(
      lastKey: rows[0, 0].flatMap(JSONStrings.parse), bound: rows[0, 1].flatMap(JSONStrings.parse),
      expected: rows.integer(0, 4) ?? 0, finished: rows.boolean(0, 5))
    progress.account.looked = rows.integer(0, 2) ?? 0
    progress.account.written = rows.integer(0, 3) ?? 0
    if isOld {
      progress.account.right = progress.account.looked - progress.account.written
    } else {
      progress.take(rows)
    }
    progress.runner = try runner(slot, connection)
    return progress
  }

  private static let first = """
    to_json(last_key), to_json(bound), rows, written, expected, finished_at IS NOT NULL
    """
  private static let old = "SELECT \(first), NULL FROM crossfade.backfill WHERE slot = $1"
  private static let current = """
    SELECT \(first), format, same, unmapped, refused, skipped, overtaken, active_ms, throttled_ms, paused_ms,
           shut_ms, state, reason, extract(epoch FROM clock_timestamp() - state_since), batch, pace, rate, eta_ms,
           eta_late_ms, drift
      FROM crossfade.backfill WHERE slot = $1
    """

  private mutating func take(_ rows: QueryResult) {
    func number(_ column: Int) -> Double? { rows[0, column].flatMap(Double.init) }
    account.right = rows.integer(0, 7) ?? 0
    account.unmapped = rows.integer(0, 8) ?? 0
    account.refused = rows.integer(0, 9) ?? 0
    account.skipped = rows.integer(0, 10) ?? 0
    account.overtaken = rows.integer(0, 11) ?? 0
    clocks = BackfillClocks(
      active: number(12) ?? 0, throttled: number(13) ?? 0, paused: number(14) ?? 0, shut: number(15) ?? 0)
    note = Note(
      state: rows[0, 16] ?? "", reason: rows[0, 17], seconds: number(18) ?? 0, batch: rows.integer(0, 19),
      pace: number(20), rate: number(21), eta: number(22), etaLate: number(23), drift: rows[0, 24])
  }

  private static func runner(_ slot: String, _ connection: Connection) throws(PostgresError) -> Int64? {
    try BackfillLock(slot: slot).holder(on: connection)?.pid
  }
}
