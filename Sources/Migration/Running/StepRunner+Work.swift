import Postgres

extension StepRunner {
  /// Carries out a step that is Crossfade's own work, not a list of statements, and writes it down as any other: begun, then
  /// done or failed. What a killed predecessor completed stands, and is taken as done.
  ///
  /// - Parameter body: the work; it leaves what the step's probe asks about.
  func work(
    _ step: Step, isBack: Bool = false, _ body: () throws(MigrationError) -> Void
  ) throws(MigrationError) -> StepOutcome {
    let start = Deadline.now
    report(.begins(step))
    try lock.check()
    let effort = StepAccount.Effort(attempts: 1)
    let stood = try MigrationError.asking { () throws(PostgresError) -> Bool in
      let record = try StepRecord.load(slot: sessions.slot, on: connection).first { $0.id == step.id }
      guard try !stands(step) else {
        try note(step, record, isBack: isBack)
        return true
      }
      try connection.transaction(purpose: step.title) { () throws(PostgresError) in
        try account.begin(step, isBack: isBack)
      }
      return false
    }
    var outcome = StepOutcome(step: step, ending: stood ? .there : .done)
    if !stood {
      do throws(MigrationError) {
        try body()
        try finish(step, effort, isBack: isBack)
      } catch {
        fail(step, effort, error, isBack: isBack)
        throw error
      }
    }
    outcome.took = Self.milliseconds(since: start)
    report(.ended(outcome))
    return outcome
  }

  private func finish(
    _ step: Step, _ effort: StepAccount.Effort, isBack: Bool
  ) throws(MigrationError) {
    try MigrationError.asking { () throws(PostgresError) in
      try connection.transaction(purpose: step.title) { () throws(PostgresError) in
        try account.finish(step, effort, isBack: isBack)
      }
    }
  }
}
