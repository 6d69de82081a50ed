import Derivation
import DualWrite
import FailPoints
import Logging
import Postgres

/// Fills the old column from the new one, where it lags: in pages of its own commits, that go on where they were.
///
/// The keeper stands by then: what a page has done stays right, and rows that come later are right from the start.
struct Refill {
  let run: MigrationRun
  let step: Step
  /// The old column, under the name that it has now.
  let column: Identifier

  private var definition: SlotDefinition { run.definition }

  func fill() throws(MigrationError) -> StepOutcome {
    let start = Deadline.now
    run.runner.report(.begins(step))
    var outcome = StepOutcome(step: step, ending: .there)
    do throws(PostgresError) {
      let connection = try connect()
      if try begin(on: connection) {
        try run.runner.account.begin(step, isBack: false)
        try pages(on: connection)
        outcome.ending = .done
        try run.connection.transaction(purpose: step.title) { () throws(PostgresError) in
          try run.runner.account.finish(step, .init(), isBack: false)
        }
      }
    } catch {
      throw .postgres(error)
    }
    outcome.took = StepRunner.milliseconds(since: start)
    run.runner.report(.ended(outcome))
    return outcome
  }

  private func connect() throws(PostgresError) -> Connection {
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade rollback \(definition.slot) (fill)",
        settings: [
          // Below the server's deadlock_timeout: we give way, not the application.
          ("lock_timeout", "\(definition.backfill.lockTimeout.count)"),
          ("statement_timeout", "\(definition.write.statementTimeout.count)"), ("search_path", "pg_catalog"),
          OwnWrites.setting,
        ] + DerivationSQL.planSettings), interrupt: run.runner.interrupt)
    try TriggerPolicy(definition: definition, logger: run.runner.logger).set(on: connection)
    return connection
  }

  /// Whether there is anything to do. Pins the bound the first time.
  private func begin(on connection: Connection) throws(PostgresError) -> Bool {
    let purpose = "begin to fill \(column)"
    try ControlTable.ensure([RefillTable.control], on: connection)
    let sql = BackfillSQL(
      derive: definition.derive, keyTypes: try MapTable.keyTypes(definition.derive, on: connection))
    let found = try connection.query(
      "SELECT finished_at IS NULL FROM crossfade.refill WHERE slot = $1", [.text(definition.slot)],
      purpose: purpose)
    if found.rowCount == 1 { return found.boolean(0, 0) }
    let last = try connection.query(sql.last, purpose: purpose)
    guard last.rowCount == 1 else { return false }
    let bound = sql.keyTypes.indices.compactMap { last[0, $0] }
    try connection.query(
      "INSERT INTO crossfade.refill (slot, bound) VALUES ($1, ARRAY(SELECT json_array_elements_text($2::json)))",
      [.text(definition.slot), .text(JSONStrings.write(bound))], purpose: purpose)
    return true
  }

  private func pages(on connection: Connection) throws(PostgresError) {
    let purpose = "fill a page of \(column)"
    let derive = definition.derive
    let type = try MapTable.columnType(column, of: derive.table, on: connection)
    let isEnum = try connection.query(
      "SELECT typtype = 'e' FROM pg_catalog.pg_type WHERE oid = to_regtype($1)", [.optional(type)],
      purpose: purpose
    ).boolean(0, 0)
    let sql = RefillSQL(
      pages: BackfillSQL(derive: derive, keyTypes: try MapTable.keyTypes(derive, on: connection)),
      column: column, cast: isEnum ? type : nil)
    let mark = try WriteMark(.backfill, slot: definition.slot, on: connection)
    for span in [BackfillSQL.Span.first, .after] {
      try connection.prepare(span.name("fill"), sql.apply(span), purpose: purpose)
    }
    var backoff = Backoff(firstMilliseconds: 20, lastMilliseconds: 2_000)
    while true {
      do throws(PostgresError) {
        if try page(mark, on: connection, purpose: purpose) { return }
        backoff = Backoff(firstMilliseconds: 20, lastMilliseconds: 2_000)
        if definition.backfill.pause.count > 0 { try rest(definition.backfill.pause.count, purpose) }
      } catch {
        guard error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected else { throw error }
        run.runner.report(.progress(step, "a row is held by somebody; it waits and tries again"))
        try rest(backoff.next(), purpose)
      }
    }
  }

  private func rest(_ milliseconds: Int, _ purpose: String) throws(PostgresError) {
    if run.runner.interrupt.wait(milliseconds: milliseconds) { throw .interrupted(purpose: purpose) }
  }

  /// Fills the next page; true when it was the last.
  private func page(_ mark: WriteMark, on connection: Connection, purpose: String) throws(PostgresError)
    -> Bool
  {
    let state = try connection.query(
      "SELECT to_json(bound), to_json(last_key) FROM crossfade.refill WHERE slot = $1 AND finished_at IS NULL",
      [.text(definition.slot)], purpose: purpose)
    guard state.rowCount == 1, let bound = state[0, 0].flatMap(JSONStrings.parse) else { return true }
    let after = state[0, 1].flatMap(JSONStrings.parse)
    let span = after == nil ? BackfillSQL.Span.first : .after
    let keys: [Parameter] = (bound + (after ?? [])).map { .text($0) }
    try connection.startPipeline(
      [
        mark.statement(),
        PipelineStatement(
          span.name("fill"), [.text(definition.slot), .integer(definition.backfill.batch)] + keys),
      ], purpose: purpose,
      beforeSync: FailPoint.isArmed(.stepBeforeCommit) ? { FailPoint.pass(.stepBeforeCommit) } : nil)
    let results = try connection.finishPipeline(purpose: purpose)
    FailPoint.pass(.stepAfterCommit)
    guard results.count == 2, results[1].rowCount == 1 else {
      throw .unexpected(purpose: purpose, what: "no progress of slot \(definition.slot)")
    }
    run.runner.report(.progress(step, "\(results[1][0, 1] ?? "0") rows filled"))
    return results[1].boolean(0, 2)
  }
}
