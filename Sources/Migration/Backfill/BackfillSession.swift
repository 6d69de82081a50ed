import Derivation
import DualWrite
import PGOutput
import Postgres

/// One session's backfill: pages and rows, one commit each.
struct BackfillSession {
  private let definition: SlotDefinition
  private let connection: Connection
  private let mark: WriteMark
  private let sql: BackfillSQL
  private(set) var progress: BackfillProgress
  private var revisited: String?

  /// What a page came to.
  struct Page: Equatable {
    /// Rows looked at.
    var rows: Int
    /// Milliseconds from the flight's start to its commit.
    var milliseconds: Double
    /// Bytes of WAL that were written meanwhile.
    var walBytes: Double
    /// The server's WAL position at its end.
    var position: LSN
  }

  /// Rows that were skipped are held to this: with more, those are settled first.
  static let mostSkipped: Int64 = 10_000

  init(definition: SlotDefinition, connection: Connection) throws(PostgresError) {
    self.definition = definition
    self.connection = connection
    sql = BackfillSQL(
      derive: definition.derive, keyTypes: try MapTable.keyTypes(definition.derive, on: connection))
    // Our own writes come back through the slot; the mark lets capture drop them at their first record.
    mark = try WriteMark(.backfill, slot: definition.slot, on: connection)
    if let found = try BackfillProgress.load(slot: definition.slot, on: connection) {
      progress = found
    } else {
      progress = try Self.begin(definition, sql, connection)
    }
    try prepare()
  }

  private var after: [String] { progress.lastKey ?? [] }
  private var span: BackfillSQL.Span { progress.lastKey == nil ? .first : .after }

  /// Derives the next page.
  mutating func page(rows: Int, careful: Bool, clocks: BackfillClocks) throws(PostgresError) -> Page {
    guard let bound = progress.bound else {
      return Page(rows: 0, milliseconds: 0, walBytes: 0, position: .invalid)
    }
    return try apply(rows: rows, bound: bound, careful: careful, clocks: clocks)
  }

  /// The key of the next row; nil when there is none.
  func nextKey() throws(PostgresError) -> [String]? {
    guard let bound = progress.bound else { return nil }
    let rows = try connection.query(
      sql.next(span), (bound + after).map { .text($0) }, purpose: "find the next row")
    guard rows.rowCount == 1 else { return nil }
    return sql.keyTypes.indices.compactMap { rows[0, $0] }
  }

  /// Derives the row of a key, the next one.
  mutating func row(_ key: [String], careful: Bool, clocks: BackfillClocks) throws(PostgresError) {
    _ = try apply(rows: 1, bound: key, careful: careful, clocks: clocks)
  }

  /// Puts the row of a key, the next one, under quarantine, and goes on behind it.
  mutating func refuse(_ key: [String], reason: String) throws(PostgresError) {
    let purpose = "put a row in quarantine"
    try connection.startPipeline(
      [
        mark.statement(),
        PipelineStatement("refuse", [.text(definition.slot), .text(reason)] + key.map { .text($0) }),
      ], purpose: purpose)
    let results = try connection.finishPipeline(purpose: purpose)
    let refused = results.last?.integer(0, 1) ?? 0
    progress.lastKey = key
    progress.account.looked += refused
    progress.account.refused += refused
  }

  private mutating func apply(
    rows: Int, bound: [String], careful: Bool, clocks: BackfillClocks
  ) throws(PostgresError) -> Page {
    let purpose = "backfill a page"
    let slot = Parameter.text(definition.slot)
    let times = [clocks.active, clocks.throttled, clocks.paused, clocks.shut].map { Parameter.text("\($0)") }
    let keys: [Parameter] = (bound + after).map { .text($0) }
    let statements = [
      mark.statement(), PipelineStatement("position"),
      PipelineStatement(
        span.name(careful ? "careful" : "apply"), [slot, .integer(rows)] + times + keys),
      PipelineStatement(span.name("quarantine"), [slot] + after.map { .text($0) }),
      PipelineStatement("position"),
    ]
    let began = Deadline.now
    try connection.startPipeline(statements, purpose: purpose)
    let results = try connection.finishPipeline(purpose: purpose)
    let milliseconds = Double(Deadline.now - began) / 1e6
    guard results.count == statements.count, results[2].rowCount == 1,
      let last = results[2][0, 0].flatMap(JSONStrings.parse)
    else { throw .unexpected(purpose: purpose, what: "no progress of slot \(definition.slot)") }
    let counts = (1...6).map { results[2].integer(0, $0) ?? 0 }
    guard counts.allSatisfy({ $0 >= 0 }) else {
      throw .unexpected(purpose: purpose, what: "an account that does not balance: \(counts)")
    }
    progress.lastKey = last
    progress.account.looked += counts[0]
    progress.account.written += counts[1]
    progress.account.right += counts[2]
    progress.account.unmapped += counts[3]
    progress.account.skipped += counts[4]
    progress.account.overtaken += counts[5]
    let first = results[1][0, 0].flatMap { LSN($0) } ?? .invalid
    let position = results[4][0, 0].flatMap { LSN($0) } ?? first
    return Page(
      rows: Int(counts[0]), milliseconds: milliseconds, walBytes: Double(position.bytes(since: first)),
      position: position)
  }

  /// Looks again at rows that others held, at most so many, in the order of their keys, round and round. Gives how many were
  /// settled.
  mutating func revisit(limit: Int = 200) throws(PostgresError) -> Int {
    let purpose = "look again at rows that others held"
    let columns = sql.keyTypes.indices.map { "key->>\($0)" }.joined(separator: ", ")
    let rows = try connection.query(
      """
      SELECT key::text, \(columns) FROM crossfade.backfill_skipped
       WHERE slot = $1 AND ($2::jsonb IS NULL OR key > $2::jsonb) ORDER BY key LIMIT $3::bigint
      """, [.text(definition.slot), .optional(revisited), .integer(limit)], purpose: purpose)
    revisited = rows.rowCount < limit ? nil : rows[rows.rowCount - 1, 0]
    let before = progress.account.skipped
    for row in 0..<rows.rowCount {
      try revisit(sql.keyTypes.indices.compactMap { rows[row, $0 + 1] }.map { .text($0) })
    }
    if rows.rowCount > 0, let found = try BackfillProgress.load(slot: definition.slot, on: connection) {
      progress = found
    }
    return Int(before - progress.account.skipped)
  }

  private func revisit(_ key: [Parameter]) throws(PostgresError) {
    let purpose = "look again at a row that somebody held"
    let slot = Parameter.text(definition.slot)
    do throws(PostgresError) {
      try connection.startPipeline(
        [
          mark.statement(), PipelineStatement("revisit", [slot, ""] + key),
          PipelineStatement(BackfillSQL.Span.only.name("quarantine"), [slot] + key),
        ], purpose: purpose)
      _ = try connection.finishPipeline(purpose: purpose)
    } catch {
      guard case .server(let cause) = error, !error.isConnectionGone else { throw error }
      switch PageCourse.Failure(cause.sqlState) {
      case .lock, .time: return
      case .data:
        try connection.query(
          sql.refuseSkipped,
          [slot, .text(BackfillSession.reason(cause))] + key, purpose: "put a row in quarantine")
      case nil: throw error
      }
    }
  }

  /// Why a row is in quarantine, by the server's error.
  static func reason(_ cause: ServerError) -> String { "\(cause.message) (SQLSTATE \(cause.sqlState))" }

  /// Writes down what it does, for those who look from elsewhere.
  mutating func note(_ note: BackfillProgress.Note, clocks: BackfillClocks) throws(PostgresError) {
    func number(_ value: Double?) -> Parameter { .optional(value.map { "\($0)" }) }
    let purpose = "write down what the backfill does"
    let parameters: [Parameter] =
      [.text(definition.slot), "0"]
      + [clocks.active, clocks.throttled, clocks.paused, clocks.shut].map {
        number($0)
      } + [
        .text(note.state), .optional(note.reason), .optional(note.batch.map { "\($0)" }), number(note.pace),
        number(note.rate), number(note.eta), number(note.etaLate), .optional(note.drift),
      ]
    try connection.startPipeline([mark.statement(), PipelineStatement("note", parameters)], purpose: purpose)
    _ = try connection.finishPipeline(purpose: purpose)
  }

  /// Everything is done: says so, if the account balances.
  mutating func finish() throws(PostgresError) {
    let purpose = "finish the backfill"
    try connection.transaction(purpose: purpose) { () throws(PostgresError) in
      let ended = try connection.query(
        """
        UPDATE crossfade.backfill SET finished_at = clock_timestamp(), state = 'done', reason = NULL,
               state_since = clock_timestamp(), eta_ms = 0, eta_late_ms = 0
         WHERE slot = $1 AND finished_at IS NULL
        """, [.text(definition.slot)], purpose: purpose)
      if let found = try BackfillProgress.load(slot: definition.slot, on: connection) { progress = found }
      guard progress.account.balances else {
        throw .unexpected(purpose: purpose, what: "an account that does not balance: \(progress.account)")
      }
      guard ended.affectedRows == 1 else { return }
      // A step that waits for its lock holds the account's row meanwhile.
      try connection.query("SET LOCAL lock_timeout = '30s'", purpose: purpose)
      try AuditTrail(slot: definition.slot, connection: connection).appendWhereKept(
        AuditEvent(.backfilled, step: "backfill.rows", details: progress.account.told))
    }
  }

  private static let noteSQL = """
    UPDATE crossfade.backfill
       SET \(BackfillSQL.clocks), reason = $8, batch = $9::integer, pace = $10::double precision,
           rate = $11::double precision, eta_ms = $12::double precision, eta_late_ms = $13::double precision,
           drift = $14, state_since = CASE WHEN state = $7 THEN state_since ELSE clock_timestamp() END, state = $7
     WHERE slot = $1 AND $2::text IS NOT NULL
    """

  private func prepare() throws(PostgresError) {
    let purpose = "prepare the backfill"
    try connection.prepare("position", "SELECT pg_catalog.pg_current_wal_insert_lsn()", purpose: purpose)
    try connection.prepare("note", Self.noteSQL, purpose: purpose)
    try connection.prepare("refuse", sql.refuse, purpose: purpose)
    try connection.prepare("revisit", sql.revisit, purpose: purpose)
    for span in [BackfillSQL.Span.first, .after] {
      try connection.prepare(span.name("apply"), sql.apply(span), purpose: purpose)
      try connection.prepare(span.name("careful"), sql.applyCarefully(span), purpose: purpose)
    }
    for span in [BackfillSQL.Span.first, .after, .only] {
      try connection.prepare(span.name("quarantine"), sql.quarantine(span), purpose: purpose)
    }
  }

  /// Pins the bound: the last key there is now that changes are captured.
  private static func begin(
    _ definition: SlotDefinition, _ sql: BackfillSQL, _ connection: Connection
  ) throws(PostgresError) -> BackfillProgress {
    let last = try connection.query(sql.last, purpose: "find the last key")
    let bound = last.rowCount == 1 ? definition.derive.key.indices.compactMap { last[0, $0] } : nil
    // The planner knows a table's size of now, and a partitioned one's as the sum of its leaves'.
    let plan = try connection.query(
      "EXPLAIN (FORMAT JSON) SELECT FROM \(sql.table)", purpose: "estimate the rows")
    let expected = bound == nil ? 0 : plan[0, 0].flatMap(JSONStrings.planRows) ?? 0
    try connection.query(
      """
      INSERT INTO crossfade.backfill (slot, bound, expected)
      VALUES ($1, CASE WHEN $2::json IS NOT NULL THEN ARRAY(SELECT json_array_elements_text($2::json)) END, $3)
      """,
      [.text(definition.slot), .optional(bound.map { JSONStrings.write($0) }), .integer(expected)],
      purpose: "record the backfill's bound")
    return try BackfillProgress.load(slot: definition.slot, on: connection)
      ?? BackfillProgress(bound: bound, expected: expected, finished: false)
  }
}
