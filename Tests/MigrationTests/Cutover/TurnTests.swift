import Derivation
import DualWrite
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("The direction turns beside nobody who derives rows as they stand", .timeLimit(.minutes(5)))
struct TurnTests {
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func turn(_ ledger: LedgerDatabase) throws -> MigrationError? {
    let run = try MigrationRun(
      ledger.definition, command: "cutover", interrupt: interrupt, logger: LedgerDatabase.logger,
      report: { _ in })
    let facts = try StepFacts.ask(
      ledger.definition.derive, publication: ledger.definition.publication, on: run.connection)
    let step = try #require(
      MigrationSteps(ledger.definition, facts: facts).cutover.first { $0.id == "cutover.direction" })
    do throws(MigrationError) {
      _ = try Turn(runner: run.runner, patience: 300).run(step, to: .both)
      return nil
    } catch { return error }
  }

  @Test(
    "one that came after the gates is waited for, and named; the direction is asked back",
    arguments: ["backfill", "replay", "quarantine"])
  func latecomer(_ command: String) throws {
    let ledger = try LedgerDatabase("turn_\(command)")
    try ledger.expand(interrupt)
    let slot = ledger.definition.slot
    do {
      let late = try ledger.connect("crossfade \(command) \(slot)")
      try late.query(
        "SELECT pg_advisory_lock_shared(hashtext('crossfade \(command)'), hashtext($1))", [.text(slot)],
        purpose: "be late")
      let error = "\(try turn(ledger).map { "\($0)" } ?? "none")"
      #expect(
        error.contains("crossfade \(command) \(slot), server process \(late.backendPID), since "), "\(error)")
      #expect(error.contains("is at work and derives rows as they stand"), "\(error)")
      #expect(try ledger.column("SELECT asked FROM crossfade.direction") == ["forward"])
    }
    // Without it the turn waits for the dual-write alone.
    let error = "\(try turn(ledger).map { "\($0)" } ?? "none")"
    #expect(error.contains("`crossfade run` is not at work"), "\(error)")
  }

  @Test("a retry of the quarantine is seen while it is at work")
  func retry() throws {
    let ledger = try LedgerDatabase("turn_retry")
    try ledger.expand(interrupt)
    let connection = try ledger.connect()
    do {
      let retry = try QuarantineRetry(definition: ledger.definition, interrupt: interrupt)
      let holder = try RowDeriver.find(slot: ledger.definition.slot, on: connection)
      #expect(holder?.application == "crossfade quarantine \(ledger.definition.slot)")
      _ = try retry.run()
    }
    let isGone = try eventually(within: .seconds(10)) {
      try RowDeriver.find(slot: ledger.definition.slot, on: connection) == nil
    }
    #expect(isGone)
  }

  @Test("a retry that begins while somebody's DDL holds the table waits for it longer than for a row")
  func retryWaits() throws {
    let ledger = try LedgerDatabase("turn_retry_waits")
    try ledger.expand(interrupt)
    let (holder, witness) = (try ledger.connect(), try ledger.connect())
    try holder.script(
      "BEGIN; LOCK TABLE public.transactions IN ACCESS EXCLUSIVE MODE", purpose: "hold the table")
    let (definition, interrupt) = (ledger.definition, interrupt)
    let retry = Worker { () -> Result<QuarantineRetry.Outcome, PostgresError> in
      do throws(PostgresError) {
        return .success(try QuarantineRetry(definition: definition, interrupt: interrupt).run())
      } catch {
        return .failure(error)
      }
    }
    // Three times as long as it waits for a row.
    let waits = try eventually(within: .seconds(10)) {
      try retry.isFinished
        || witness.query(
          """
          SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'
            AND clock_timestamp() - query_start > '300 ms'::interval)
          """, [.text("crossfade quarantine \(definition.slot)")], purpose: "look whether it waits"
        ).boolean(0, 0)
    }
    #expect(waits)
    try holder.query("COMMIT", purpose: "let go")
    #expect(eventually(within: .seconds(10)) { retry.isFinished })
    #expect(try retry.result?.get().looked == 0)
  }
}
