internal import Yams

/// The types of hazards that a plan may have, as they are accepted in `migrate.accept`. `Migration.Hazard` has the same, and
/// says what each means.
public enum AcceptedHazard: String, CaseIterable, Sendable {
  case accessExclusiveLock = "ACQUIRES_ACCESS_EXCLUSIVE_LOCK"
  case shareRowExclusiveLock = "ACQUIRES_SHARE_ROW_EXCLUSIVE_LOCK"
  case indexBuild = "INDEX_BUILD"
  case performance = "IMPACTS_DATABASE_PERFORMANCE"
  case hotReference = "HOT_REFERENCED_ROWS"
  case correctness = "CORRECTNESS"
  case untrackableDependencies = "HAS_UNTRACKABLE_DEPENDENCIES"
  case deletesData = "DELETES_DATA"
}

extension DefinitionReader {
  /// Types of hazards in a list, none of them twice.
  mutating func hazards(_ field: Field) -> Set<AcceptedHazard>? {
    let hint = "write them in brackets: `[ACQUIRES_ACCESS_EXCLUSIVE_LOCK]`; `crossfade plan` lists them"
    // An empty list accepts none: that is a thing to say.
    if case .sequence(let sequence) = field.node, sequence.isEmpty { return [] }
    guard let elements = list(field, of: "a list of hazards", hint: hint) else { return nil }
    var accepted: Set<AcceptedHazard> = []
    var isWhole = true
    for element in elements {
      guard let hazard = choice(element, AcceptedHazard.self) else {
        isWhole = false
        continue
      }
      if !accepted.insert(hazard).inserted {
        report(element, "is \(element.kind), which the list already holds", hint: "keep one of them")
        isWhole = false
      }
    }
    return isWhole ? accepted : nil
  }
}
