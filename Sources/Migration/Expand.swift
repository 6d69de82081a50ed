public import Derivation
import DualWrite
public import Logging
public import Postgres

/// Adds the new representation beside the old one: control schema, map table with its states, the nullable column, and what
/// else the definition asks for at this point. Each step looks first, so it can be run again.
public struct Expand {
  let definition: SlotDefinition
  let interrupt: Interrupt
  let logger: Logger
  let gate: PlanGate

  /// An expansion for a slot.
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
      definition, command: "expand", interrupt: interrupt, logger: logger, report: report)
    try run.refuseContracted()
    let facts: StepFacts
    do throws(PostgresError) {
      facts = try StepFacts.ask(definition.derive, on: run.connection)
    } catch {
      throw .postgres(error)
    }
    try ExpandPreconditions(derive: definition.derive, connection: run.connection).check(facts)
    let steps = MigrationSteps(definition, facts: facts).expand
    try gate.check(steps, definition, facts)
    let outcomes = try run.run(steps)
    try run.enter(.expanded)
    try gate.record(
      definition, facts, anew: outcomes.contains { $0.ending == .done }, on: run.connection)
    return outcomes
  }
}

/// What must hold before anything is made.
struct ExpandPreconditions {
  let derive: SlotDefinition.Derive
  let connection: Connection

  func check(_ facts: StepFacts) throws(MigrationError) {
    let found: (hasTable: Bool, rows: [StateRow])
    do throws(PostgresError) {
      let table = try connection.query(
        "SELECT to_regclass($1) IS NOT NULL", [.text(derive.table.quoted)], purpose: "look up \(derive.table)"
      )
      found = (
        table.boolean(0, 0), facts.hasMap ? try MapTable.load(derive.map, on: connection).rows : []
      )
    } catch {
      throw .postgres(error)
    }
    guard found.hasTable else {
      throw .notReady(
        what: "table \(derive.table) does not exist", hint: "name it in derive.table as schema.table")
    }
    try StatusTextCheck(derive).check(on: connection)
    guard facts.hasMap || !derive.map.states.isEmpty else {
      throw .notReady(
        what:
          "map table \(derive.map.table) does not exist and the definition lists no states to make it from",
        hint: "list them in derive.map.states, or make the table first")
    }
    try compare(found.rows)
  }

  /// A state that stands there otherwise is an error, never overwritten.
  private func compare(_ rows: [StateRow]) throws(MigrationError) {
    let differences = derive.map.states.compactMap { state -> String? in
      let held = rows.first { $0.id == state.id || $0.code == state.code || $0.status == state.status }
      guard let held, held != StateRow(state) else { return nil }
      return "state \(state.id) is \(held.code?.string ?? "NULL") for \(held.status?.string ?? "NULL"), "
        + "the definition says \(state.code) for \(state.status?.string ?? "NULL")"
    }
    guard differences.isEmpty else { throw .mapDiffers(what: differences) }
  }
}
