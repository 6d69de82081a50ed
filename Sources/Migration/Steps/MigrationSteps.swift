public import Derivation
import Postgres

/// All steps of a migration, in order, from a slot definition and what the catalogs say. Pure: the same values give the same
/// steps, whether they are shown, emitted for another tool, or run.
public struct MigrationSteps: Sendable {
  /// What is migrated.
  public internal(set) var definition: SlotDefinition
  /// What the server is like.
  public let facts: StepFacts

  /// The steps of a definition on a server.
  public init(_ definition: SlotDefinition, facts: StepFacts) {
    self.definition = definition
    self.facts = facts
  }

  /// From nothing to the old column's end.
  public var all: [Step] { expand + capture + [rows] + constrain + [verify] + cutover + contract }

  /// What `crossfade expand` runs.
  public var expand: [Step] {
    var steps = [makeSchema, makeMap, addStates, addColumn]
    if definition.migrate.bridge == .trigger { steps.append(makeBridge) }
    if definition.migrate.index == .before { steps += index(phase: .expanded) }
    return steps
  }

  /// What `crossfade constrain` runs, once the backfill is done.
  public var constrain: [Step] {
    (definition.migrate.index == .after ? index(phase: .backfilled) : [])
      + (definition.migrate.foreignKey == .validate ? foreignKey : [])
  }

  var derive: SlotDefinition.Derive { definition.derive }
  var table: String { derive.table.quoted }

  /// Short first, the definition's longest last.
  var lockTimeout: ClosedRange<Int> {
    let last = definition.migrate.lockTimeout.count
    return min(100, last)...last
  }

  /// A step with the definition's lock timeouts.
  func step(
    _ id: String, _ phase: Phase, _ title: String, _ statements: [String], locks: [Step.Lock],
    hazards: Set<Hazard> = [], probe: String, wayBack: [String] = [], wayBackLocks: [Step.Lock]? = nil,
    wayBackNote: String? = nil
  ) -> Step {
    Step(
      id: id, phase: phase, title: title, statements: statements, locks: locks, lockTimeout: lockTimeout,
      hazards: hazards, probe: probe, wayBack: wayBack,
      wayBackLocks: wayBackLocks ?? (wayBack.isEmpty ? [] : locks), wayBackNote: wayBackNote)
  }

  /// A step that validates a constraint of the table beside the traffic, however long the reading takes.
  func validate(
    _ id: String, _ phase: Phase, _ title: String, _ constraint: String, probe: String,
    wayBackNote: String? = nil
  ) -> Step {
    Step(
      id: id, phase: phase, title: title,
      statements: ["ALTER TABLE \(table) VALIDATE CONSTRAINT \(constraint)"],
      locks: [.init(.shareUpdateExclusive, on: table)], lockTimeout: nil, statementTimeout: 0,
      hold: "while it reads the table", hazards: [.performance], probe: probe, wayBackNote: wayBackNote)
  }
}
