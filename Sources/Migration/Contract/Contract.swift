public import Derivation
import DualWrite
public import Logging
public import Postgres

/// The old column's end: the new one is required, the old one is renamed; later, in a call of its own, dropped.
///
/// - Nothing is done before every gate holds, and the gates are asked again right before the dual-write is asked to rest: what
///   comes between may take hours.
/// - Killed anywhere, it can be run again, and goes on; `rollback` goes back from anywhere.
public struct Contract {
  /// How far to go.
  public enum Goal: Sendable, Equatable {
    /// To the renamed column.
    case retired
    /// To the dual-write's rest: the rename is somebody else's.
    case rest
    /// To the end: what was renamed is dropped.
    case dropped
  }

  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger
  let gate: PlanGate
  let goal: Goal
  /// Who says up to where everything is applied; nil for checkpoint and log.
  var source: SeenThrough.Source?
  /// Milliseconds that the dual-write has for its rest.
  var patience = 60_000

  /// For a slot.
  public init(
    definition: SlotDefinition, goal: Goal = .retired, interrupt: Interrupt, logger: Logger,
    gate: PlanGate = PlanGate()
  ) {
    self.definition = definition
    self.goal = goal
    self.interrupt = interrupt
    self.logger = logger
    self.gate = gate
  }

  /// Looks, shows, asks, does.
  ///
  /// - Parameters:
  ///   - confirm: given what would be done; what is not confirmed is not done.
  ///   - report: told of each step as it goes.
  /// - Returns: The plan, and what came of each step; nil when it was not confirmed, or a gate does not hold.
  public func run(
    confirm: (ContractPlan) -> Bool, report: @escaping @Sendable (StepNews) -> Void
  ) throws(MigrationError) -> (plan: ContractPlan, outcomes: [StepOutcome]?) {
    let run = try MigrationRun(
      definition, command: "contract", interrupt: interrupt, logger: logger, report: report)
    let facts = try MigrationError.asking { () throws(PostgresError) in
      try StepFacts.ask(definition.derive, on: run.connection)
    }
    let steps = MigrationSteps(definition, facts: facts)
    let plan = try plan(steps, on: run.connection)
    guard plan.isAllowed, confirm(plan) else { return (plan, nil) }
    guard !plan.steps.isEmpty else { return (plan, []) }
    try gate.check(plan.steps, definition, facts)
    return (plan, try carryOut(steps, plan, run))
  }

  private func look(on connection: Connection) throws(MigrationError) -> Readiness {
    Readiness(
      try ReadinessFacts.ask(definition, on: connection, interrupt: interrupt, source: source))
  }

  private func plan(_ steps: MigrationSteps, on connection: Connection) throws(MigrationError) -> ContractPlan
  {
    try refuseReturn(on: connection)
    let readiness = try look(on: connection)
    let derive = definition.derive
    var plan = ContractPlan(
      slot: definition.slot, goal: goal, readiness: readiness, steps: [], retired: steps.retired.description,
      confirmation: "\(derive.table).\(goal == .dropped ? steps.retired : derive.from)")
    switch (goal, readiness.column) {
    case (.dropped, .retired): plan.steps = [steps.drop] + (try identityBack(steps, on: connection))
    case (.dropped, .gone): plan.steps = try identityBack(steps, on: connection)
    case (.dropped, .stands): break
    case (_, .stands):
      plan.steps = steps.required + steps.retirement.filter { goal == .retired || $0.id != "contract.rename" }
    // A predecessor was killed after the rename, or another tool did it: the account is brought up to it.
    case (_, .retired):
      let phase = try MigrationState.load(slot: definition.slot, on: connection)?.phase
      let isWhole = try isRequired(on: connection) && phase == .contracted
      if !isWhole { plan.steps = steps.required + steps.retirement }
    case (_, .gone): if try !isRequired(on: connection) { plan.steps = steps.required }
    }
    guard goal == .dropped else { return plan }
    if plan.steps.contains(where: { $0.id == "cutover.identity" }), let obstacle = try filter(on: connection)
    {
      plan.others = [.fails(.rowFilter, obstacle.what, obstacle.mend)]
    }
    plan.keeps = try keeps(steps, on: connection)
    return plan
  }

  /// Whether the new column is: a way back that was broken off may have undone that, and nothing else.
  private func isRequired(on connection: Connection) throws(MigrationError) -> Bool {
    let derive = definition.derive
    return try MigrationError.asking { () throws(PostgresError) in
      try connection.query(
        CatalogProbe.notNull(derive.to, of: derive.table), purpose: "look up column \(derive.to)"
      ).boolean(0, 0)
    }
  }

  private func carryOut(
    _ steps: MigrationSteps, _ plan: ContractPlan, _ run: MigrationRun
  ) throws(MigrationError) -> [StepOutcome] {
    guard goal != .dropped else {
      let isBack = { (step: Step) in step.id == "cutover.identity" }
      let outcomes = try run.run(plan.steps.filter { !isBack($0) })
      let last = plan.steps.filter(isBack)
      // The drop may have taken as long as its lock.
      if !last.isEmpty, let obstacle = try filter(on: run.connection) {
        throw .notReady(
          what: "before the replica identity came back this came: \(obstacle.what)",
          hint: "\(obstacle.mend); then run this again: it goes on")
      }
      return outcomes + (try run.run(last, isBack: true))
    }
    var outcomes: [StepOutcome] = []
    for step in plan.steps {
      guard step.id == MigrationSteps.restID else {
        outcomes += try run.run([step])
        continue
      }
      if plan.readiness.column == .stands, plan.readiness.standing == Direction.Standing.both.rawValue {
        try refuse(try look(on: run.connection))
      }
      outcomes.append(
        try DirectionTurn(run: run, step: step, standing: .rest, isBack: false, patience: patience).take())
    }
    if goal == .retired { try run.enter(.contracted) }
    return outcomes
  }

  /// The replica identity as it was before the cutover, where we changed it: nothing is derived from old rows any more, and
  /// they cost WAL.
  private func identityBack(_ steps: MigrationSteps, on connection: Connection) throws(MigrationError)
    -> [Step]
  {
    try MigrationError.asking { () throws(PostgresError) in
      RollbackSteps(
        forward: steps.cutoverEver.filter { $0.id == "cutover.identity" },
        records: try StepRecord.load(slot: definition.slot, on: connection)
      ).steps
    }
  }

  /// What another publication's row filter has against that.
  private func filter(on connection: Connection) throws(MigrationError) -> (what: String, mend: String)? {
    try MigrationError.asking { () throws(PostgresError) in
      try FilterFacts.ask(
        definition, try StepRecord.load(slot: definition.slot, on: connection), on: connection
      ).obstacle(definition.derive.table)
    }
  }

  private func keeps(_ steps: MigrationSteps, on connection: Connection) throws(MigrationError) -> [String] {
    try MigrationError.asking { () throws(PostgresError) in
      steps.identityKept(try StepRecord.load(slot: definition.slot, on: connection))
    }
  }

  /// Between the first look and the rename.
  private func refuse(_ readiness: Readiness) throws(MigrationError) {
    guard let first = readiness.obstacles.first else { return }
    throw .notReady(
      what: "before the rename this came: \(first.found)",
      hint: "\(definition.derive.to) is required by now, the old column stands; run this again when "
        + "`crossfade readiness SLOT` says so, or `crossfade rollback SLOT`")
  }

  /// A way back that was begun is not crossed: its trigger names the column that the rename would take away.
  private func refuseReturn(on connection: Connection) throws(MigrationError) {
    let begun = try MigrationError.asking { () throws(PostgresError) in
      try StepRecord.load(slot: definition.slot, on: connection).contains(where: BrokenOff.isBack)
    }
    guard begun else { return }
    throw .notReady(
      what: "a rollback of the contract was begun, and is not at its end",
      hint: "run `crossfade rollback SLOT`: it goes on; then this can begin anew")
  }
}
