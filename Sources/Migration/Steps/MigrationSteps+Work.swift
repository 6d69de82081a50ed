import Derivation
import Postgres

/// What is no list of statements: the steps that Crossfade carries out itself.
extension MigrationSteps {
  /// Publication and slot. `crossfade run` makes them, after it has looked at the replica identity: to publish a table
  /// without one makes the application's updates fail.
  var capture: [Step] {
    let publication = definition.publication.quoted
    return [
      work(
        "capture.publication", .capturing, "publish \(derive.table) as \(definition.publication)", "run",
        locks: [.init(.shareUpdateExclusive, on: table)], wayBack: ["DROP PUBLICATION \(publication)"]),
      work(
        "capture.slot", .capturing, "make replication slot \(definition.slot) and follow it", "run",
        locks: [],
        wayBack: ["SELECT pg_catalog.pg_drop_replication_slot(\(SQLText.literal(definition.slot)))"]),
    ]
  }

  /// The rows that were there before.
  var rows: Step {
    var step = work(
      "backfill.rows", .backfilled, "derive \(derive.to) of the rows that were there before", "backfill",
      locks: [.init(.rowExclusive, on: table), .init(.accessShare, on: derive.map.table.quoted)], wayBack: [])
    step.hold = "a batch at a time"
    step.hazards = [.performance]
    step.wayBackNote = "the values go with the column"
    return step
  }

  /// The proof.
  var verify: Step {
    var step = work(
      "verify.whole", .verified,
      "compare \(derive.to) with what the map makes of \(derive.from), in every row", "verify",
      locks: [.init(.accessShare, on: table), .init(.accessShare, on: derive.map.table.quoted)], wayBack: [])
    step.hold = "a range at a time"
    step.hazards = [.performance]
    return step
  }

  /// A step that is no list of statements.
  func work(
    _ id: String, _ phase: Phase, _ title: String, _ command: String, locks: [Step.Lock], wayBack: [String]
  ) -> Step {
    Step(
      id: id, phase: phase, title: title, manner: .work(command: "crossfade \(command)"), locks: locks,
      lockTimeout: nil, wayBack: wayBack)
  }
}
