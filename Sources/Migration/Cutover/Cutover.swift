public import Derivation
import DualWrite
import FailPoints
public import Logging
public import Postgres

/// Turns a migration: readers are told to read the new column, and the old one is kept in step for those who do not yet.
///
/// - Gates first, each with its value; then a named confirmation; then steps, each restartable.
/// - Both columns are derived from each other before new writers may leave the old one out, and before anybody is told to read
///   the new one. So going back is only telling readers.
/// - The phase is `cut over` once all reads are turned: a part of them is a trial, and `contract` must not begin on one.
public struct Cutover {
  let definition: SlotDefinition
  let options: CutoverOptions
  let interrupt: Interrupt
  let logger: Logger
  let gate: PlanGate

  /// For a slot.
  public init(
    definition: SlotDefinition, options: CutoverOptions = CutoverOptions(), interrupt: Interrupt,
    logger: Logger, gate: PlanGate = PlanGate()
  ) {
    self.definition = definition
    self.options = options
    self.interrupt = interrupt
    self.logger = logger
    self.gate = gate
  }

  /// What it would do now, and whether it may. Takes no lock.
  public func plan() throws(MigrationError) -> CutoverPlan {
    let sessions = SlotConnection(definition, command: "cutover")
    let connection = try MigrationError.asking { () throws(PostgresError) in
      try sessions.connect("gates", interrupt)
    }
    return try plan(on: connection)
  }

  /// Looks, asks, turns.
  ///
  /// - Parameters:
  ///   - confirm: given the plan, whose gates all hold; what is not confirmed is not done.
  ///   - report: told of each step as it goes.
  public func run(
    confirm: (CutoverPlan) -> Bool, report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) -> (plan: CutoverPlan, result: CutoverResult) {
    let run = try MigrationRun(
      definition, command: "cutover", interrupt: interrupt, logger: logger, report: report)
    let steps = try self.steps(on: run.connection)
    // A smaller share is a way back, and needs no gate and no word.
    if case .done(let outcomes) = try back(run, to: options.percent) {
      return (try plan(on: run.connection), .done(outcomes))
    }
    var plan = try plan(on: run.connection)
    if plan.isEmpty { return (plan, .nothing) }
    guard plan.isOpen else { return (plan, .refused) }
    let asked = Deadline.now
    guard confirm(plan) else { return (plan, .unconfirmed) }
    if StepRunner.milliseconds(since: asked) > Self.staleAfter {
      plan = try self.plan(on: run.connection)
      guard plan.isOpen else { return (plan, .refused) }
    }
    try run.enter(.verified)
    var outcomes: [StepOutcome] = []
    for step in steps where step.id != "cutover.reads" {
      outcomes +=
        step.id == "cutover.direction"
        ? [try Turn(runner: run.runner, patience: options.turn).run(step, to: .both)] : try run.run([step])
    }
    // The steps may have taken as long as their locks.
    plan.gates = try survey(run.connection).take(isBrief: true).moving
    guard plan.isOpen else { return (plan, .refused) }
    outcomes += try tell(run, options.percent)
    return (plan, .done(outcomes))
  }

  /// What was looked at longer ago than this is looked at again, in milliseconds.
  static let staleAfter = 10_000

  func survey(_ connection: Connection) -> GateSurvey {
    GateSurvey(
      definition: definition, options: options, interrupt: interrupt, logger: logger, connection: connection)
  }

  /// The steps, where everything stands that they need.
  func steps(on connection: Connection) throws(MigrationError) -> [Step] {
    let facts = try facts(on: connection)
    guard facts.missingTables.isEmpty else {
      throw .notReady(
        what:
          "slot \(definition.slot) is not expanded by this version: tables of schema crossfade are missing",
        hint: "run `crossfade expand SLOT` first; what stands already is left alone")
    }
    let all = MigrationSteps(definition, facts: facts)
    try gate.check(all.cutover, definition, facts)
    let records = try MigrationError.asking { () throws(PostgresError) in
      try StepRecord.load(slot: definition.slot, on: connection)
    }
    return all.cutover(after: records)
  }

  func facts(on connection: Connection) throws(MigrationError) -> StepFacts {
    try MigrationError.asking { () throws(PostgresError) in
      try StepFacts.ask(definition.derive, publication: definition.publication, on: connection)
    }
  }

  private func plan(on connection: Connection) throws(MigrationError) -> CutoverPlan {
    let steps = try self.steps(on: connection)
    let gates = try survey(connection).take()
    return try MigrationError.asking { () throws(PostgresError) in
      let reads = try ReadsFlag.load(slot: definition.slot, on: connection)
      var pending: [Step] = []
      for step in steps where step.id != "cutover.reads" {
        if try !step.stands(on: connection) { pending.append(step) }
      }
      let isTold = reads.percent == options.percent && (reads.percent == 100) == (gates.phase == .cutOver)
      if !pending.isEmpty || !isTold { pending.append(telling(options.percent)) }
      return CutoverPlan(
        slot: definition.slot, phase: gates.phase, reads: reads, percent: options.percent,
        column: definition.derive.to.description, direction: gates.direction, gates: gates.gates,
        steps: pending,
        confirmation: "\(definition.derive.table).\(definition.derive.to)")
    }
  }
}
