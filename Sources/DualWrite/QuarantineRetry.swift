public import Derivation
public import Postgres

/// Derives the quarantined rows again, as they stand now, and releases those that have a value or are gone. Where both columns are
/// written it derives nothing: a row that agrees by now is released, the others are for the application to write.
///
/// For one thread; may run beside the dual-write. Its writes carry our mark, so capture drops them, and keeps what it tells of
/// the rows that it releases (`CorrectionSQL`).
public struct QuarantineRetry {
  /// What became of the rows.
  public struct Outcome: Sendable, Equatable {
    /// Rows looked at.
    public var looked = 0
    /// Rows that left the quarantine: derived now, or gone from the table.
    public var released = 0
    /// Rows in quarantine afterwards, those included that came meanwhile.
    public var remaining: Int64 = 0
    /// Which way the slot derives: but `forward` nothing is written, and only rows that agree by now are released.
    public var direction = Direction.Standing.forward
  }

  private let plan: DualWritePlan
  private let connection: Connection
  private let interrupt: Interrupt
  /// Nil where there is no quarantine to go through.
  private let mark: WriteMark?
  private let columns: Int
  private let direction: Direction
  private var derives: Bool { direction.refusalToDerive == nil }

  /// How often a batch that met a lock is tried again.
  private static let attempts = 10

  /// Opens a session with the target and prepares it.
  public init(definition: SlotDefinition, interrupt: Interrupt) throws(PostgresError) {
    plan = DualWritePlan(definition)
    self.interrupt = interrupt
    connection = try Connection(
      plan.connection,
      options: .init(
        applicationName: "crossfade quarantine \(plan.slot)",
        settings: [
          ("lock_timeout", "\(LockWait.connecting(plan.lockTimeout))"),
          ("statement_timeout", "\(plan.statementTimeout)"),
          ("default_transaction_isolation", "read committed"), ("search_path", "pg_catalog"),
        ] + DerivationSQL.planSettings), interrupt: interrupt)
    columns = plan.derive.key.count
    // Shared: retries do not exclude each other. Held before the direction is read, so that whoever turns it sees us.
    try connection.query(
      "SELECT pg_catalog.pg_advisory_lock_shared(hashtext('crossfade quarantine'), hashtext($1))",
      [.text(plan.slot)], purpose: "tell that the quarantine is retried")
    direction = try Direction.load(slot: plan.slot, on: connection)
    guard direction.standing != .rest, try ControlSchema.exists(on: connection) else {
      mark = nil
      return
    }
    mark = try WriteMark(.quarantine, slot: plan.slot, on: connection)
    let sql = DerivationSQL(plan.derive, keyTypes: try MapTable.keyTypes(plan.derive, on: connection))
    let purpose = "prepare the retry"
    try connection.prepare("apply", sql.applyKeys, purpose: purpose)
    try connection.prepare("hold", QuarantineSQL.hold, purpose: purpose)
    let isHeard = CorrectionSQL.isHeard(major: connection.serverVersion.major)
    try connection.prepare("release", QuarantineSQL.releaseDerived(sql, isHeard: isHeard), purpose: purpose)
    try LockWait.work(plan.lockTimeout, on: connection)
  }

  /// Goes once through the quarantine, batch by batch, each in a commit of its own.
  public func run() throws(PostgresError) -> Outcome {
    var outcome = Outcome()
    guard try ControlSchema.exists(on: connection) else { return outcome }
    outcome.direction = direction.isTakenUp ? direction.standing : direction.asked
    guard direction.standing != .rest else {
      outcome.remaining = try Quarantine.count(slot: plan.slot, on: connection)
      return outcome
    }
    var last: String?
    while true {
      let keys = try page(after: last)
      guard let end = keys.last else {
        outcome.remaining = try Quarantine.count(slot: plan.slot, on: connection)
        return outcome
      }
      last = end.json
      outcome.looked += keys.count
      outcome.released += try retry(keys[...])
    }
  }

  private struct Key {
    /// As the quarantine holds it.
    var json: String
    /// Its columns; nil where the definition's key has other columns than when it was put there.
    var columns: [String]?
  }

  private func page(after last: String?) throws(PostgresError) -> [Key] {
    let texts = (0..<columns).map { "q.key->>\($0)" }.joined(separator: ", ")
    // Qualified: a bare name in ORDER BY would mean the output column, which sorts as text and not as jsonb.
    let rows = try connection.query(
      """
      SELECT q.key::text, jsonb_array_length(q.key) = \(columns), \(texts) FROM crossfade.quarantine AS q
       WHERE q.slot = $1 AND ($2::jsonb IS NULL OR q.key > $2::jsonb) ORDER BY q.key LIMIT $3::bigint
      """, [.text(plan.slot), .optional(last), .integer(plan.batch)], purpose: "read the quarantine")
    return (0..<rows.rowCount).map { row in
      let values = (0..<columns).compactMap { rows[row, $0 + 2] }
      return Key(
        json: rows[row, 0] ?? "", columns: rows.boolean(row, 1) && values.count == columns ? values : nil)
    }
  }

  /// How many of the keys were released. A batch that the server refuses is halved until the row at fault stands alone.
  private func retry(_ keys: ArraySlice<Key>) throws(PostgresError) -> Int {
    let usable = keys.filter { $0.columns != nil }
    guard !usable.isEmpty else { return 0 }
    var waits = Backoff(firstMilliseconds: 50, lastMilliseconds: 2000)
    for attempt in 1... {
      do {
        return try apply(usable)
      } catch {
        guard case .server(let cause) = error, !error.isConnectionGone else { throw error }
        if cause.sqlState.isTransient, attempt < Self.attempts {
          if interrupt.wait(milliseconds: waits.next()) {
            throw .interrupted(purpose: "retry the quarantine")
          }
          continue
        }
        guard usable.count > 1, !cause.sqlState.isTransient else {
          if usable.count == 1, !cause.sqlState.isTransient { return 0 }
          throw error
        }
        let middle = usable.count / 2
        return try retry(usable[..<middle]) + retry(usable[middle...])
      }
    }
    return 0
  }

  /// Rows first, quarantine after, as the dual-write does it: so neither waits for the other in a circle.
  private func apply(_ keys: [Key]) throws(PostgresError) -> Int {
    let purpose = "retry the quarantine"
    let arrays = (0..<columns).map { column in array(keys.map { $0.columns?[column] ?? "" }) }
    let held = [Parameter.text(plan.slot), array(keys.map(\.json))]
    var statements = mark.map { [$0.statement()] } ?? []
    if derives { statements.append(PipelineStatement("apply", arrays)) }
    statements.append(PipelineStatement("hold", held))
    statements.append(PipelineStatement("release", held + arrays))
    try connection.startPipeline(statements, purpose: purpose)
    let released = try connection.finishPipeline(purpose: purpose).last?.integer(0, 0)
    return Int(clamping: released ?? 0)
  }

  private func array(_ values: [String]) -> Parameter {
    var literal = ArrayLiteral(capacity: values.count * 16)
    for value in values { literal.append(Array(value.utf8)) }
    return .terminatedText(literal.finish())
  }
}
