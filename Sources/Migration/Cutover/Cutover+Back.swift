import Derivation
import DualWrite
import Postgres

extension Cutover {
  /// Tells readers to read the old column, or a smaller share of them the new one, at once: no gate but that somebody keeps the
  /// old column in step. Both ways stay derived, since new writers may still be there.
  ///
  /// - Parameters:
  ///   - percent: the share that is left; less than now.
  ///   - force: also while nobody keeps it in step. Then the old column lacks what was written to the new one alone since,
  ///     until `run` has caught up.
  public func back(
    to percent: Int = 0, force: Bool = false, report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) -> CutoverResult {
    let run = try MigrationRun(
      definition, command: "cutover", interrupt: interrupt, logger: logger, report: report)
    return try back(run, to: percent, force: force)
  }

  /// The same, within a command that has the migration's lock.
  func back(_ run: MigrationRun, to percent: Int = 0, force: Bool = false) throws(MigrationError)
    -> CutoverResult
  {
    let phase = try run.state()?.phase
    try refuseRetired(phase)
    let (flag, runner) = try MigrationError.asking { () throws(PostgresError) in
      (
        try ReadsFlag.load(slot: definition.slot, on: run.connection),
        try LockHolder.find("crossfade", definition.slot, on: run.connection)
      )
    }
    guard flag.percent > percent || (phase == .cutOver && percent < 100) else { return .nothing }
    guard runner != nil || force else {
      throw .notReady(
        what: "`crossfade run` is not at work: \(definition.derive.from) lacks what was written to "
          + "\(definition.derive.to) alone since it ended",
        hint: "start it, then run this again; or give --force, and readers see that only once it runs again")
    }
    return .done(try tell(run, percent))
  }

  /// What going back to the old column alone would do, and whether it may. Takes no lock.
  public func forwardOnlyPlan() throws(MigrationError) -> CutoverPlan {
    let sessions = SlotConnection(definition, command: "cutover")
    let connection = try MigrationError.asking { () throws(PostgresError) in
      try sessions.connect("gates", interrupt)
    }
    return try forwardOnlyPlan(on: connection)
  }

  /// Goes back to the old column alone: readers, then what was made for both ways, in reverse. From then on a write of the new
  /// column alone is overwritten again, so it is refused while there are any.
  public func forwardOnly(
    confirm: (CutoverPlan) -> Bool, report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) -> (plan: CutoverPlan, result: CutoverResult) {
    let run = try MigrationRun(
      definition, command: "cutover", interrupt: interrupt, logger: logger, report: report)
    try refuseRetired(try run.state()?.phase)
    let plan = try forwardOnlyPlan(on: run.connection)
    if plan.isEmpty { return (plan, .nothing) }
    guard plan.isOpen else { return (plan, .refused) }
    guard confirm(plan) else { return (plan, .unconfirmed) }
    var outcomes: [StepOutcome] = []
    if case .done(let told) = try back(run) { outcomes += told }
    outcomes += try turnBack(run)
    return (plan, .done(outcomes))
  }

  /// Undoes what was made for both ways, in reverse; only what was made by us. Within a command that has the migration's lock,
  /// which has looked that nobody needs it.
  func turnBack(_ run: MigrationRun) throws(MigrationError) -> [StepOutcome] {
    var outcomes: [StepOutcome] = []
    for step in try stepsBack(on: run.connection) {
      outcomes +=
        step.id == "cutover.direction"
        ? [try Turn(runner: run.runner, patience: options.turn).run(step, to: .forward, isBack: true)]
        : try run.run([step], isBack: true)
    }
    return outcomes
  }

  /// The ways back, in order: NOT NULL, the direction, the stream.
  func stepsBack(on connection: Connection) throws(MigrationError) -> [Step] {
    let steps = MigrationSteps(definition, facts: try facts(on: connection))
    return try MigrationError.asking { () throws(PostgresError) in
      let records = try StepRecord.load(slot: definition.slot, on: connection)
      let undone = RollbackSteps(
        forward: steps.cutoverEver.filter { !$0.statements.isEmpty }, records: records
      )
      .steps.filter { step in
        // With whole old rows in the stream a list of columns would make the application's updates fail.
        step.id != "cutover.publication" || !steps.isIdentityKept(records)
      }
      let nullable = undone.filter { $0.id == "cutover.nullable" }
      return (nullable.isEmpty ? [] : steps.restoreNotNull) + nullable + [steps.directionBack]
        + undone.filter { $0.id != "cutover.nullable" }
    }
  }

  private func forwardOnlyPlan(on connection: Connection) throws(MigrationError) -> CutoverPlan {
    let gates = try survey(connection).take(isBrief: true)
    let steps = try stepsBack(on: connection)
    let kept = MigrationSteps(definition, facts: try facts(on: connection))
    return try MigrationError.asking { () throws(PostgresError) in
      var pending: [Step] = []
      for step in steps where try !step.stands(on: connection) { pending.append(step) }
      // The check is dropped by the step that follows it: alone it has nothing to do.
      if !pending.contains(where: { $0.id == "cutover.nullable" }) {
        pending.removeAll { $0.id.hasPrefix("cutover.nullable:") }
      }
      let reads = try ReadsFlag.load(slot: definition.slot, on: connection)
      if reads.percent > 0 || gates.phase == .cutOver { pending.insert(telling(0), at: 0) }
      let records = try StepRecord.load(slot: definition.slot, on: connection)
      return CutoverPlan(
        slot: definition.slot, phase: gates.phase, reads: reads, percent: 0,
        column: definition.derive.to.description, direction: gates.direction,
        gates: gates.backGates(quiet: options.quiet), steps: pending, keeps: kept.identityKept(records),
        confirmation: "\(definition.derive.table).\(definition.derive.from)")
    }
  }

  private func refuseRetired(_ phase: Phase?) throws(MigrationError) {
    guard phase == .contracted else { return }
    throw .notReady(
      what: "the migration of slot \(definition.slot) is contracted: \(definition.derive.from) is retired",
      hint: "`crossfade rollback SLOT` brings it back first")
  }
}
