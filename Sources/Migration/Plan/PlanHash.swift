public import Derivation
import Postgres

/// Names a plan by what it will do: the definition's part in it, every step's SQL, locks and limits, the server's major.
///
/// Ways back are not part of it: `rollback` shows what it will do. It stays the same while the steps are carried out, and whatever the tables' sizes; it changes when a statement, a lock
/// timeout, a partition or the server's major does. So what was reviewed is what runs: `expand --plan HASH`.
public struct PlanHash: Hashable, Sendable, CustomStringConvertible {
  /// 64 hexadecimal digits.
  public let description: String

  /// The fewest digits that may stand for a hash on a command line.
  public static let shortest = 12

  /// As it is shown where room is short.
  public var short: String { String(description.prefix(Self.shortest)) }

  /// The hash of what a definition comes to on a server.
  public static func of(_ definition: SlotDefinition, facts: StepFacts) -> PlanHash {
    PlanHash(description: SHA256Text.hex(canonical(definition, facts: facts)))
  }

  /// Whether somebody who typed these digits means this plan: all of them, or its first twelve or more.
  public func answers(to text: String) -> Bool {
    text.utf8.count >= Self.shortest && description.hasPrefix(text.lowercased())
  }

  /// The text that is hashed: a line a value, each with its length before it, so that no two plans share a text.
  static func canonical(_ definition: SlotDefinition, facts: StepFacts) -> String {
    // What stands already is not part of it: a plan that is half carried out is the same plan.
    var pristine = facts
    pristine.hasMap = false
    pristine.hasSchema = false
    pristine.missingTables = MigrationTables.all
    pristine.missingStates = definition.derive.map.states
    var lines: [String] = []
    func note(_ name: String, _ value: String) { lines.append("\(name) \(value.utf8.count):\(value)") }
    note("version", "1")
    note("major", "\(facts.version.major)")
    note("slot", definition.slot)
    note("publication", definition.publication.quoted)
    note("table", definition.derive.table.quoted)
    for key in definition.derive.key { note("key", key.quoted) }
    note("from", definition.derive.from.quoted)
    note("to", definition.derive.to.quoted)
    for step in MigrationSteps(definition, facts: pristine).all {
      note("step", step.id)
      note("manner", "\(step.manner)")
      for statement in step.statements { note("sql", statement) }
      for lock in step.locks { note("lock", "\(lock.mode.rawValue) \(lock.table)") }
      note("lock_timeout", step.lockTimeout.map { "\($0.lowerBound)...\($0.upperBound)" } ?? "none")
      note("statement_timeout", "\(step.statementTimeout)")
    }
    return lines.joined(separator: "\n")
  }
}
