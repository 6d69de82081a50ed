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
    var plan = try forwardOnlyPlan(on: run.connection)
    if plan.isEmpty { return (plan, .nothing) }
    let asked = Deadline.now
    if plan.isOpen {
      guard confirm(plan) else { return (plan, .unconfirmed) }
      if StepRunner.milliseconds(since: asked) > Self.staleAfter {
        plan = try forwardOnlyPlan(on: run.connection)
      }
    }
    guard plan.isOpen else {
      // One that a predecessor left refuses statements of the very writers that are to be waited for.
      try takeCheckAway(run)
      return (plan, .refused)
    }
    var outcomes: [StepOutcome] = []
    if case .done(let told) = try back(run) { outcomes += told }
    outcomes += try turnBack(run)
    return (plan, .done(outcomes))
  }

  /// Undoes what was made for both ways, in reverse; only what was made by us. Within a command that has the migration's lock,
  /// which has looked that nobody needs it.
  func turnBack(_ run: MigrationRun) throws(MigrationError) -> [StepOutcome] {
    let steps = MigrationSteps(definition, facts: try facts(on: run.connection))
    var outcomes: [StepOutcome] = []
    for step in try stepsBack(steps, on: run.connection) {
      if step.id == "cutover.direction" {
        outcomes.append(
          try Turn(runner: run.runner, patience: options.turn).run(step, to: .forward, isBack: true))
      } else if steps.requireOld.contains(step) {
        outcomes += try require(step, run)
      } else {
        outcomes += try run.run([step], isBack: true)
      }
    }
    return outcomes
  }

  /// What refuses it leaves no check behind: statements of the application would fail by it, while both ways are derived.
  private func require(_ step: Step, _ run: MigrationRun) throws(MigrationError) -> [StepOutcome] {
    do throws(MigrationError) { return try run.run([step]) } catch {
      guard case .notReady(let what, _) = error else { throw error }
      let dry = "`crossfade cutover SLOT --back --forward-only --dry-run` counts the rows"
      do throws(MigrationError) { try takeCheckAway(run) } catch {
        throw .notReady(
          what: "\(what); its check stands still: \(error)",
          hint: "run this again: it goes on, or takes the check away; until then statements that leave "
            + "\(definition.derive.from) NULL fail. \(dry)")
      }
      throw .notReady(
        what: what, hint: "its check is taken away again: nothing of the application fails by it. \(dry)")
    }
  }

  /// Where it stands.
  private func takeCheckAway(_ run: MigrationRun) throws(MigrationError) {
    let step = MigrationSteps(definition, facts: try facts(on: run.connection)).requireOldNoMore
    let isGone = try MigrationError.asking { () throws(PostgresError) in
      try run.runner.stands(step)
    }
    if !isGone { _ = try run.run([step], isBack: true) }
  }

  /// The ways back, in order: NOT NULL, the direction, the stream.
  private func stepsBack(
    _ steps: MigrationSteps, on connection: Connection
  ) throws(MigrationError) -> [Step] {
    try MigrationError.asking { () throws(PostgresError) in
      let records = try StepRecord.load(slot: definition.slot, on: connection)
      let undone = RollbackSteps(
        forward: steps.cutoverEver.filter { !$0.statements.isEmpty }, records: records
      )
      .steps.filter { step in
        // With whole old rows in the stream a list of columns would make the application's updates fail.
        step.id != "cutover.publication" || !steps.isIdentityKept(records)
      }
      let nullable = undone.filter { $0.id == "cutover.nullable" }
      let required =
        options.keepsNullable
        ? [steps.requireOldNoMore] : nullable.isEmpty ? [] : steps.requireOld + nullable
      return required + [steps.directionBack] + undone.filter { $0.id != "cutover.nullable" }
    }
  }

  private func forwardOnlyPlan(on connection: Connection) throws(MigrationError) -> CutoverPlan {
    let gates = try survey(connection).take(isBrief: true)
    let all = MigrationSteps(definition, facts: try facts(on: connection))
    let steps = try stepsBack(all, on: connection)
    return try MigrationError.asking { () throws(PostgresError) in
      var pending: [Step] = []
      for step in steps where try !step.stands(on: connection) { pending.append(step) }
      // The check is dropped by the step that follows it: alone it has nothing to do.
      let isRequired = pending.contains { $0.id == "cutover.nullable" }
      if !isRequired { pending.removeAll(where: all.requireOld.contains) }
      var closing = gates.backGates(quiet: options.quiet)
      if isRequired {
        let map = try? MapTable.load(definition.derive.map, on: connection)
        closing.append(
          try RowsWithoutText.ask(definition.derive, limitMilliseconds: options.scan, on: connection)
            .gate(definition.derive, text: map?.rows.lazy.compactMap(\.status).first?.string))
      }
      let reads = try ReadsFlag.load(slot: definition.slot, on: connection)
      if reads.percent > 0 || gates.phase == .cutOver { pending.insert(telling(0), at: 0) }
      let records = try StepRecord.load(slot: definition.slot, on: connection)
      return CutoverPlan(
        slot: definition.slot, phase: gates.phase, reads: reads, percent: 0,
        column: definition.derive.to.description, direction: gates.direction,
        gates: closing, steps: pending, keeps: all.identityKept(records),
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
