import FailPoints
import Logging
import Postgres

/// Runs steps, forward or back.
///
/// - It looks first whether the step's effect stands: so a command killed anywhere can be run again, and goes on.
/// - A step that is a transaction commits together with the account of it. One that cannot be is written down before and after.
/// - Strong locks are asked for as `LockPatience` says, all of a step's before its first statement.
/// - Everything is set for the transaction (`SET LOCAL`), nothing for the session.
struct StepRunner {
  let connection: Connection
  let sessions: SlotConnection
  let lock: MigrationLock
  let interrupt: Interrupt
  let logger: Logger
  /// Milliseconds for a step's lock, all attempts together.
  let lockBudget: Int
  let recordsQueries: Bool
  let report: @Sendable (StepNews) -> Void

  var account: StepAccount { StepAccount(slot: sessions.slot, connection: connection) }

  /// - Parameter isBack: the step undoes another of the same name.
  func run(_ step: Step, isBack: Bool = false) throws(MigrationError) -> StepOutcome {
    let start = Deadline.now
    report(.begins(step))
    try lock.check()
    var outcome: StepOutcome
    var effort = StepAccount.Effort()
    do throws(PostgresError) {
      let hasAccount = try account.isThere()
      let record = hasAccount ? try begun(step) : nil
      if record?.state == .running { try endOrphan(step) }
      try clearLeftovers(step, hasAccount: hasAccount)
      if try stands(step) {
        if hasAccount { try note(step, record, isBack: isBack) }
        outcome = StepOutcome(step: step, ending: .there)
      } else {
        if hasAccount {
          try connection.transaction(purpose: step.title) { () throws(PostgresError) in
            try account.begin(step, isBack: isBack)
          }
        }
        outcome = StepOutcome(step: step, ending: .done)
      }
    } catch {
      throw .postgres(error)
    }
    if outcome.ending == .done {
      try carryOut(step, &effort, isBack: isBack)
      (outcome.attempts, outcome.lockWait) = (effort.attempts, effort.lockWait)
      outcome.blockers = effort.blockers
    }
    outcome.took = Self.milliseconds(since: start)
    report(.ended(outcome))
    return outcome
  }

  private func carryOut(
    _ step: Step, _ effort: inout StepAccount.Effort, isBack: Bool
  ) throws(MigrationError) {
    do throws(MigrationError) {
      try PatientAttempts(runner: self, step: step, isBack: isBack).run(&effort)
    } catch {
      fail(step, effort, error, isBack: isBack)
      throw error
    }
  }

  /// What cannot be written down now stays `running`, and the next run finds out.
  func fail(_ step: Step, _ effort: StepAccount.Effort, _ error: MigrationError, isBack: Bool) {
    guard connection.isOpen, (try? account.isThere()) == true else { return }
    _ = try? connection.transaction(purpose: "write down the failure") { () throws(PostgresError) in
      try account.fail(step, effort, error: "\(error)", isBack: isBack)
    }
  }

  /// Whether the effect stands.
  func stands(_ step: Step) throws(PostgresError) -> Bool { try step.stands(on: connection) }

  /// Ours when a killed session of ours had begun it, or had done it; else somebody else's.
  func note(_ step: Step, _ record: StepRecord?, isBack: Bool) throws(PostgresError) {
    switch record?.state {
    case .done? where !isBack, .found? where !isBack, .undone? where isBack: return
    case .running?, .done?,
      .failed? where isBack:
      try connection.transaction(purpose: step.title) { () throws(PostgresError) in
        try account.settle(step, isBack: isBack)
      }
    default:
      guard !isBack else { return }
      try connection.transaction(purpose: step.title) { () throws(PostgresError) in try account.find(step) }
    }
  }

  private func begun(_ step: Step) throws(PostgresError) -> StepRecord? {
    try StepRecord.load(slot: sessions.slot, on: connection).first { $0.id == step.id }
  }

  /// Ends the session of a killed predecessor, which may still be at work: at an index, or waiting for a lock. It is told by
  /// process and start, so that nobody else is hit; the migration's lock says that its client is gone.
  private func endOrphan(_ step: Step) throws(PostgresError) {
    let purpose = "end the session that an earlier run left behind"
    let orphan = """
      SELECT a.pid FROM crossfade.step AS s JOIN pg_catalog.pg_stat_activity AS a
          ON a.pid = s.backend_pid AND a.backend_start = s.backend_start
       WHERE s.slot = $1 AND s.step = $2 AND a.pid <> pg_backend_pid()
      """
    let names: [Parameter] = [.text(sessions.slot), .text(step.id)]
    guard let pid = try connection.query(orphan, names, purpose: purpose).integer(0, 0) else { return }
    logger.notice("ending the session that an earlier run left behind", metadata: ["pid": "\(pid)"])
    try connection.query("SELECT pg_terminate_backend($1::integer)", [.integer(pid)], purpose: purpose)
    let deadline = Deadline.after(milliseconds: 30_000)
    while try connection.query(orphan, names, purpose: purpose).rowCount > 0 {
      if deadline.hasPassed { throw .timedOut(purpose: "\(purpose) (process \(pid))", milliseconds: 30_000) }
      if interrupt.wait(milliseconds: 50) { throw .interrupted(purpose: purpose) }
    }
  }

  private func clearLeftovers(_ step: Step, hasAccount: Bool) throws(PostgresError) {
    guard let leftovers = step.leftovers else { return }
    let found = try connection.query(leftovers, purpose: "look for what a broken off attempt left")
    for statement in (0..<found.rowCount).compactMap({ found[$0, 0] }) {
      report(.clears(step, statement: statement))
      try connection.query(statement, purpose: "clear away what a broken off attempt left")
      guard hasAccount else { continue }
      try connection.transaction(purpose: step.title) { () throws(PostgresError) in
        try account.clear(step, statement)
      }
    }
  }

  static func milliseconds(since start: UInt64) -> Int { Int((Deadline.now - start) / 1_000_000) }
}
