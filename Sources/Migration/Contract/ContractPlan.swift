/// What `contract` would do, and whether it may. A value: shown before anything is done.
public struct ContractPlan: Sendable {
  /// The slot.
  public var slot: String
  /// How far it goes.
  public var goal: Contract.Goal
  /// What was found.
  public var readiness: Readiness
  /// What it would do, in order; nothing where all is done.
  public var steps: [Step]
  /// The name that the old column has while it is kept.
  public var retired: String
  /// What stands in the way of a step beyond the old column itself.
  public var others: [ReadinessGate] = []
  /// What stays, though it may have been set for this migration.
  public var keeps: [String] = []
  /// What the operator must name: `public.transactions.status`, or the retired column before it is dropped.
  public var confirmation: String

  /// What is in the way; empty where there is nothing to do.
  public var obstacles: [ReadinessGate] {
    guard !steps.isEmpty || goal == .dropped else { return [] }
    guard goal != .dropped else { return dropObstacles }
    guard readiness.column != .stands else { return readiness.obstacles }
    // Renamed already: who wrote the old way meets that, and quiet is nothing to wait for.
    return readiness.obstacles.filter { $0.name != .legacyWrites && $0.name != .bothColumns }
  }

  /// Whether it may go on.
  public var isAllowed: Bool { obstacles.isEmpty }

  /// What is gone after the drop, and cannot be had again.
  public var loses: [String] {
    guard goal == .dropped, !steps.isEmpty else { return [] }
    return [
      "the texts of \(confirmation) that the map does not hold; those that it holds can be derived again"
    ]
      + readiness.vanishing.map { "\($0), which goes with the column" }
  }

  private var dropObstacles: [ReadinessGate] {
    switch readiness.column {
    case .gone: return others
    case .stands:
      return [
        .fails(
          .phase, "the old column is not retired: it stands under its own name",
          "`crossfade contract SLOT` renames it; then it can be dropped after the grace time")
      ]
    case .retired: break
    }
    var obstacles = readiness.gates.filter { $0.name == .dependents && !$0.holds } + others
    if let droppable = readiness.droppable, droppable > readiness.now {
      obstacles.insert(
        .fails(
          .phase,
          "the old column is kept until \(UTCText.of(droppable)), \(QuietClock.text(droppable - readiness.now)) from now",
          "`migrate.grace` says how long; until then `crossfade rollback SLOT` brings it back with all its texts"
        ), at: 0)
    }
    return obstacles
  }
}
