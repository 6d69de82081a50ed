public import Derivation
public import Logging
public import Postgres

/// What the new column needs once all rows have their value: the index, and the foreign key to the map.
///
/// Not before the backfill is done: an index would keep its updates from being HOT, and the key would be looked up for
/// each row.
public struct Constrain {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger
  let gate: PlanGate

  /// For a slot.
  public init(
    definition: SlotDefinition, interrupt: Interrupt, logger: Logger, gate: PlanGate = PlanGate()
  ) {
    self.gate = gate
    self.definition = definition
    self.interrupt = interrupt
    self.logger = logger
  }

  /// Runs the steps; what came of each.
  ///
  /// - Parameter report: told of each step as it goes, from any thread.
  public func run(report: @escaping @Sendable (StepNews) -> Void) throws(MigrationError) -> [StepOutcome] {
    let run = try MigrationRun(
      definition, command: "constrain", interrupt: interrupt, logger: logger, report: report)
    try run.refuseContracted()
    let (facts, backfill): (StepFacts, BackfillProgress?)
    do throws(PostgresError) {
      facts = try StepFacts.ask(definition.derive, on: run.connection)
      backfill = try BackfillProgress.load(slot: definition.slot, on: run.connection)
    } catch {
      throw .postgres(error)
    }
    guard facts.missingTables.isEmpty else {
      throw .notReady(
        what:
          "slot \(definition.slot) is not expanded by this version: tables of schema crossfade are missing",
        hint: "run `crossfade expand SLOT` first; what stands already is left alone")
    }
    guard backfill?.finished == true else {
      throw .notReady(
        what: backfill == nil
          ? "the backfill of slot \(definition.slot) has not begun"
          : "the backfill of slot \(definition.slot) is not done",
        hint: "run `crossfade backfill SLOT` to its end first: index and foreign key would make it slower")
    }
    try refuseLooseMap(run.connection)
    let steps = MigrationSteps(definition, facts: facts).constrain
    try gate.check(steps, definition, facts)
    let outcomes = try run.run(steps)
    try run.enter(.backfilled)
    return outcomes
  }

  /// A foreign key wants an index that keeps what it refers to from standing twice.
  private func refuseLooseMap(_ connection: Connection) throws(MigrationError) {
    let map = definition.derive.map
    guard definition.migrate.foreignKey != .none else { return }
    let table = try MigrationError.asking { () throws(PostgresError) in
      try TableFacts.ask(map.table, connection)
    }
    guard let table, !table.isUnique(map.id) else { return }
    throw .notReady(
      what: "nothing keeps \(map.id) of \(map.table) from standing twice, so no foreign key can refer to it",
      hint: "CREATE UNIQUE INDEX ON \(map.table.quoted) (\(map.id.quoted));")
  }
}
