import Derivation
import FailPoints
import Postgres

extension Cutover {
  /// The step that tells applications how many percent of them are to read the new column.
  func telling(_ percent: Int) -> Step {
    let derive = definition.derive
    let title =
      switch percent {
      case 0: "tell applications to read \(derive.from) again"
      case 100: "tell applications to read \(derive.to)"
      default: "tell applications to read \(derive.to) for \(percent) % of their keys"
      }
    return Step(
      id: "cutover.reads", phase: .cutOver, title: title,
      statements: [ReadsFlag.statement(slot: definition.slot, percent: percent)], lockTimeout: nil,
      hazards: [.correctness])
  }

  /// Turns the flag, with the account and the phase in one commit: whoever reads one reads all.
  func tell(_ run: MigrationRun, _ percent: Int) throws(MigrationError) -> [StepOutcome] {
    let step = telling(percent)
    let slot = definition.slot
    let now = try run.state()?.phase
    let flag = try MigrationError.asking { () throws(PostgresError) in
      try ReadsFlag.load(slot: slot, on: run.connection)
    }
    // A trial does not make a phase; what is beyond is left by other commands.
    let phase: Phase = percent == 100 ? .cutOver : .verified
    let isThere = flag.percent == percent && (now == phase || now == nil)
    let start = Deadline.now
    run.runner.report(.begins(step))
    try run.runner.lock.check()
    if !isThere {
      try MigrationError.asking { () throws(PostgresError) in
        try run.connection.transaction(purpose: step.title) { () throws(PostgresError) in
          try MigrationState.begin(slot: slot, on: run.connection)
          try run.runner.account.lockRow()
          for statement in step.statements { try run.connection.query(statement, purpose: step.title) }
          try run.runner.account.finish(step, StepAccount.Effort(attempts: 1), isBack: percent == 0)
          if let now, now != phase, now == .cutOver || now == .verified {
            try MigrationState.change(from: now, to: phase, slot: slot, on: run.connection)
          }
          run.runner.report(.commits(step))
          FailPoint.pass(.stepBeforeCommit)
        }
        FailPoint.pass(.stepAfterCommit)
      }
    }
    var outcome = StepOutcome(step: step, ending: isThere ? .there : .done)
    outcome.took = StepRunner.milliseconds(since: start)
    run.runner.report(.ended(outcome))
    return [outcome]
  }
}
