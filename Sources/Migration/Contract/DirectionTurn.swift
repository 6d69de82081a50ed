import Derivation
import DualWrite
import FailPoints
import PGOutput
import Postgres

/// Asks the dual-write for a standing and waits until it has taken it up: a step that is no statement, with an account like
/// the others.
struct DirectionTurn {
  let run: MigrationRun
  let step: Step
  let standing: Direction.Standing
  let isBack: Bool
  /// Milliseconds that the dual-write has for it.
  var patience = 60_000

  /// - Throws: `.notReady` where the dual-write does not take it up in time. It stays asked: run again, it goes on.
  func take() throws(MigrationError) -> StepOutcome {
    let start = Deadline.now
    run.runner.report(.begins(step))
    try run.lock.check()
    var outcome = StepOutcome(step: step, ending: .there)
    let before = try load()
    if before.standing != standing || before.asked != standing {
      try note { (account) throws(PostgresError) in try account.begin(step, isBack: isBack) }
      run.runner.report(.commits(step))
      FailPoint.pass(.stepBeforeCommit)
      let asked = try MigrationError.asking { () throws(PostgresError) in
        try Direction.ask(standing, slot: run.definition.slot, on: run.connection)
      }
      try wait(asked)
      FailPoint.pass(.stepAfterCommit)
      outcome.ending = .done
    }
    try settle(outcome)
    outcome.took = StepRunner.milliseconds(since: start)
    run.runner.report(.ended(outcome))
    return outcome
  }

  private func load() throws(MigrationError) -> Direction {
    try MigrationError.asking { () throws(PostgresError) in
      try Direction.load(slot: run.definition.slot, on: run.connection)
    }
  }

  private func wait(_ asked: Direction) throws(MigrationError) {
    let deadline = Deadline.after(milliseconds: patience)
    while try load().standing != standing {
      if deadline.hasPassed { throw try notTaken(asked) }
      if run.runner.interrupt.wait(milliseconds: 50) {
        throw .postgres(.interrupted(purpose: step.title))
      }
      try run.lock.check()
    }
  }

  private func notTaken(_ asked: Direction) throws(MigrationError) -> MigrationError {
    let runner = try MigrationError.asking { () throws(PostgresError) in
      try LockHolder.find("crossfade", run.definition.slot, on: run.connection)
    }
    let why =
      runner == nil
      ? "`crossfade run` is not at work" : "it has not yet applied what committed before \(asked.askedLSN)"
    return .notReady(
      what:
        "the dual-write has not come to the standing \(standing.rawValue) in \(patience / 1_000) s: \(why)",
      hint: "it stays asked; `crossfade status SLOT` says what it waits for; then run this again: it goes on")
  }

  /// Once, whether it was done now or by a predecessor that was killed before it could say so.
  private func settle(_ outcome: StepOutcome) throws(MigrationError) {
    try note { (account) throws(PostgresError) in
      let record = try StepRecord.load(slot: run.definition.slot, on: run.connection).first {
        $0.id == step.id
      }
      guard record?.state != (isBack ? .undone : .done) else { return }
      if isBack, record == nil { return }
      try account.finish(step, .init(), isBack: isBack)
    }
  }

  private func note(
    _ body: (StepAccount) throws(PostgresError) -> Void
  ) throws(MigrationError) {
    try MigrationError.asking { () throws(PostgresError) in
      let account = run.runner.account
      guard try account.isThere() else { return }
      try run.connection.transaction(purpose: step.title) { () throws(PostgresError) in
        try MigrationState.begin(slot: run.definition.slot, on: run.connection)
        try body(account)
      }
    }
  }
}
