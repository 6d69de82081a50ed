import Derivation

/// Whether a definition is of the migration that its slot began: another column under the same name would be made, and taken
/// away in the place of the first.
enum SameColumn {
  /// The refusal of a definition whose new column, or table, is another than that of the steps recorded; nil where they agree.
  static func refusal(_ derive: SlotDefinition.Derive, slot: String, records: [StepRecord]) -> MigrationError?
  {
    guard let record = records.first(where: { $0.id == "expand.column" }) else { return nil }
    switch record.state {
    case .pending, .undone: return nil
    case .done, .found, .running, .failed: break
    }
    // As it was said when the column was made (`MigrationSteps.addColumn`).
    let own = " column \(derive.to) to \(derive.table)"
    guard !record.title.hasSuffix(own) else { return nil }
    return .notReady(
      what:
        "slot \(slot) is at another migration: it began with \"\(record.title)\", and this definition is of "
        + "\(derive.table).\(derive.to)",
      hint:
        "go on with the definition that it began with, or `crossfade rollback` by that one; another column is another "
        + "slot's")
  }
}
