import Derivation

/// Which steps are undone, and which were never ours. Pure: steps and records go in.
struct RollbackSteps {
  private(set) var steps: [Step] = []
  private(set) var keeps: [String] = []

  /// - Parameters:
  ///   - forward: the steps in the order of the migration, whatever the definition says now of index and bridge: what was
  ///     made under an earlier one is undone too.
  ///   - records: what was done of them.
  init(forward: [Step], records: [StepRecord]) {
    for step in forward.reversed() {
      guard let record = records.first(where: { $0.id == step.id }) else { continue }
      switch record.state {
      case .pending, .undone: continue
      case .found:
        // Validated, attached or filled by somebody else: it goes, or stays, with what it is part of.
        if !step.wayBack.isEmpty { keeps.append("stood before, and stays: \(step.title)") }
      case .done, .running, .failed:
        var step = step
        step.title = record.title
        if !record.wayBack.isEmpty {
          step.wayBack = record.wayBack
          // By the catalogs of now there is nothing to undo, and so nothing to lock. All locks come first, the table before its
          // partitions, as the application takes them.
          if step.wayBackLocks.isEmpty { step.wayBackLocks = step.locks }
        }
        if let back = step.reversed { steps.append(back.clearing(step.leftovers)) }
      }
    }
  }

  /// Every step that a definition may have led to until now.
  static func forward(_ definition: SlotDefinition, _ facts: StepFacts) -> [Step] {
    var early = definition
    early.migrate.bridge = .trigger
    early.migrate.index = .before
    early.migrate.foreignKey = .validate
    var late = early
    late.migrate.index = .after
    return MigrationSteps(early, facts: facts).expand + MigrationSteps(late, facts: facts).constrain
      + MigrationSteps(late, facts: facts).cutoverEver.filter { $0.id == "cutover.identity" }
  }
}

extension Step {
  fileprivate func clearing(_ leftovers: String?) -> Step {
    var step = self
    step.leftovers = leftovers
    return step
  }
}
