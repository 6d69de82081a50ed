import Derivation
import Logging
import Postgres

/// One command's work on a migration: its lock, its session, its account. Opened once, used by `expand`, `constrain`,
/// `rollback` and whatever else runs steps.
struct MigrationRun {
  let definition: SlotDefinition
  let connection: Connection
  let lock: MigrationLock
  let runner: StepRunner

  /// Takes the migration's lock and opens a session.
  ///
  /// - Throws: `.busy` while another command works on this migration.
  init(
    _ definition: SlotDefinition, command: String, interrupt: Interrupt, logger: Logger,
    report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) {
    self.definition = definition
    let sessions = SlotConnection(definition, command: command)
    do throws(PostgresError) { connection = try sessions.connect(nil, interrupt) } catch {
      throw .postgres(error)
    }
    try SlotConnection.refusePooler(connection)
    try Self.refuseStandby(connection)
    lock = try MigrationLock(sessions: sessions, interrupt: interrupt)
    let connection = connection
    let records = try MigrationError.asking { () throws(PostgresError) in
      try StepRecord.load(slot: definition.slot, on: connection)
    }
    if let refusal = SameColumn.refusal(definition.derive, slot: definition.slot, records: records) {
      throw refusal
    }
    runner = StepRunner(
      connection: connection, sessions: sessions, lock: lock, interrupt: interrupt, logger: logger,
      lockBudget: definition.migrate.lockBudget.count, recordsQueries: definition.migrate.recordsQueries,
      report: report)
  }

  /// What it has come to so far; nil before anything was recorded.
  func state() throws(MigrationError) -> MigrationState? {
    try MigrationState.load(slot: definition.slot, on: connection)
  }

  /// Refuses what has nothing to do once the old column is retired.
  func refuseContracted() throws(MigrationError) {
    guard let state = try state(), state.phase == .contracted else { return }
    throw .notReady(
      what:
        "the migration of slot \(definition.slot) is contracted since \(state.since): \(definition.derive.from) is retired",
      hint: "nothing is left to do here; `crossfade rollback SLOT` brings the old column back")
  }

  /// Runs steps in order, and enters a phase when all are done.
  func run(_ steps: [Step], isBack: Bool = false) throws(MigrationError) -> [StepOutcome] {
    _ = try state()  // Refuses the account of a newer program before anything is touched.
    var outcomes: [StepOutcome] = []
    var isListed = false
    for step in steps {
      if !isListed { isListed = try list(steps, isBack: isBack) }
      outcomes.append(try runner.run(step, isBack: isBack))
    }
    return outcomes
  }

  /// Moves to a phase, where the account is.
  func enter(_ phase: Phase, onlyForward: Bool = true) throws(MigrationError) {
    try MigrationState.enter(phase, slot: definition.slot, onlyForward: onlyForward, on: connection)
  }

  private func list(_ steps: [Step], isBack: Bool) throws(MigrationError) -> Bool {
    do throws(PostgresError) {
      guard try runner.account.isThere() else { return false }
      try MigrationState.begin(slot: definition.slot, on: connection)
      if !isBack { try runner.account.expect(steps) }
      return true
    } catch {
      throw .postgres(error)
    }
  }

  private static func refuseStandby(_ connection: Connection) throws(MigrationError) {
    do throws(PostgresError) {
      guard
        try connection.query("SELECT pg_is_in_recovery()", purpose: "ask whether it takes writes").boolean(
          0, 0)
      else { return }
    } catch {
      throw .postgres(error)
    }
    throw .notReady(
      what: "the server is a standby: it takes no writes before it is promoted",
      hint: "name all servers in source.connection, with target_session_attrs=read-write")
  }
}
