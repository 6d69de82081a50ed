import Derivation
import Logging
import Postgres

/// The way back from a cutover, or a part of one: readers are told to read the old column. Both stay in step.
struct ReadsReturn {
  let run: MigrationRun
  let logger: Logger

  private var definition: SlotDefinition { run.definition }

  /// What it would do; nil where readers read the old column.
  func plan() throws(MigrationError) -> RollbackPlan? {
    let state = try run.state()
    let reads = try MigrationError.asking { () throws(PostgresError) in
      try ReadsFlag.load(slot: definition.slot, on: run.connection)
    }
    guard reads.percent > 0 || state?.phase == .cutOver else { return nil }
    let derive = definition.derive
    let step = Step(
      id: "cutover.reads", phase: .cutOver, title: "tell applications to read \(derive.from) again, at once",
      manner: .work(command: "crossfade rollback"))
    return RollbackPlan(
      slot: definition.slot, phase: state?.phase, steps: [step], capture: [],
      keeps: [
        "both columns stay in step, so that those who write \(derive.to) alone may go on; "
          + "`crossfade cutover --back --forward-only` ends that"
      ], loses: [], confirmation: "\(derive.table).\(derive.from)", goal: .verified)
  }

  func carryOut() throws(MigrationError) -> [StepOutcome] {
    let cutover = Cutover(definition: definition, interrupt: run.runner.interrupt, logger: logger)
    guard case .done(let outcomes) = try cutover.back(run) else { return [] }
    return outcomes
  }
}
