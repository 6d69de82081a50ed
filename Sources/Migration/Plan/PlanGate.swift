import Derivation
import Postgres

/// Keeps a command to the plan that was reviewed, and to the hazards that were accepted.
///
/// Hazards are asked for where a plan is named, or the definition says which are accepted; otherwise whoever gives the command
/// takes them.
public struct PlanGate: Sendable {
  /// The reviewed plan's hash, or its first digits; nil where none was named.
  let named: String?
  let accepted: Set<Hazard>

  /// - Parameters:
  ///   - named: the hash of `--plan`.
  ///   - accepted: the hazards of `--accept`.
  public init(named: String? = nil, accepted: Set<Hazard> = []) {
    self.named = named
    self.accepted = accepted
  }

  /// Refuses steps of another plan, and hazards that nobody accepted.
  func check(
    _ steps: [Step], _ definition: SlotDefinition, _ facts: StepFacts
  ) throws(MigrationError) {
    if let named {
      let hash = PlanHash.of(definition, facts: facts)
      guard hash.answers(to: named) else {
        throw .notReady(
          what: named.utf8.count < PlanHash.shortest
            ? "\(named) names no plan: it takes \(PlanHash.shortest) digits or more"
            : "the plan is now \(hash.short), not \(named): what would be done is not what was reviewed",
          hint: "`crossfade plan SLOT` shows it; name it in --plan when it is what you want")
      }
    }
    guard named != nil || definition.migrate.accepted != nil else { return }
    let all = accepted.union((definition.migrate.accepted ?? []).compactMap { Hazard($0) })
    let open = Set(steps.flatMap(\.hazards)).subtracting(all).sorted()
    guard open.isEmpty else {
      let names = open.map(\.rawValue).joined(separator: ", ")
      throw .notReady(
        what:
          "nobody has accepted \(names) of \(steps.filter { !$0.hazards.isDisjoint(with: open) }.map(\.id).joined(separator: ", "))",
        hint:
          "read `crossfade plan SLOT`, then list it in migrate.accept, or give --accept \(open[0].rawValue)")
    }
  }

  /// Writes the plan that was named into the migration's account.
  ///
  /// - Parameter anew: whether anything of it was done now; else only another plan than the last is written down.
  func record(
    _ definition: SlotDefinition, _ facts: StepFacts, anew: Bool, on connection: Connection
  ) throws(MigrationError) {
    guard named != nil else { return }
    let hash = PlanHash.of(definition, facts: facts).description
    var details = AuditEvent.Details()
    details.plan = hash
    do throws(PostgresError) {
      details.sketch = try TableSketch.ask(definition, on: connection)
      try connection.transaction(purpose: "record the plan") { () throws(PostgresError) in
        let changed = try connection.query(
          "UPDATE crossfade.migration SET plan_hash = $2 WHERE slot = $1 AND plan_hash IS DISTINCT FROM $2",
          [.text(definition.slot), .text(hash)], purpose: "record the plan")
        guard anew || changed.affectedRows == 1 else { return }
        try AuditTrail(slot: definition.slot, connection: connection).append(
          AuditEvent(.accepted, details: details))
      }
    } catch {
      throw .postgres(error)
    }
  }
}
