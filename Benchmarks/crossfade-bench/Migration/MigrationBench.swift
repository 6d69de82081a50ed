import Glibc
import LocalCluster
import Operations
import Postgres

/// What the application notices of a migration: sixteen writers, each phase forward and back, beside the same traffic alone in
/// the same run, right before and right after.
struct MigrationBench {
  /// Rows of the ledger.
  static let rows = number("ROWS", 1_000_000)
  /// Transactions a second of all writers together: twelve million a day are 140.
  static let rate = Double(number("RATE", 140))
  /// Seconds of the traffic alone, between two phases.
  static let alone = Double(number("ALONE", 12))
  /// Seconds that a phase is looked at, at least.
  static let window = Double(number("WINDOW", 10))

  static let writers = 16
  /// What is asked of each phase: p99 beside the p99 alone.
  static let askedRatio = 1.25

  private static func number(_ name: String, _ otherwise: Int) -> Int {
    getenv("CROSSFADE_BENCH_MIGRATION_\(name)").flatMap { Int(String(cString: $0)) } ?? otherwise
  }

  func run(_ report: inout Report) throws {
    let scene = try MigrationScene()
    defer { scene.finish() }
    scene.workload.start()
    // The caches fill, the sessions plan.
    _ = scene.look(seconds: 5)
    var figures: [PhaseFigures] = []
    var before = try scene.traffic()
    for phase in try MigrationPhase.course(scene) {
      if phase.writes != scene.workload.plan.column {
        try scene.release(phase.writes)
        before = try scene.traffic()
      }
      if phase.needsRun { try scene.startRun() }
      let during = try scene.look(phase)
      try scene.stopRun()
      let after = try scene.traffic()
      let found = PhaseFigures(phase: phase.name, during: during, alone: [before, after])
      say("  \(found.line)")
      figures.append(found)
      before = after
    }
    try add(figures, &report)
    say("\n" + PhaseFigures.table(figures, lockTimeout_ms: MigrationScene.lockTimeout_ms))
    say("\n" + (try scene.verdict()))
  }

  private func add(_ figures: [PhaseFigures], _ report: inout Report) throws {
    for found in figures {
      report.add(
        .init(
          name: "migration-\(found.phase.replacing(" ", with: "-"))-p99", unit: "ms",
          ours: [found.during.p99_ms], reference: "alone, before and after", theirs: found.alone.map(\.p99_ms)
        ))
    }
    report.add(
      .init(
        name: "migration-failed-statements", unit: "count",
        ours: [Double(figures.reduce(0) { $0 + $1.during.failed })], reference: "asked", theirs: [0]))
    report.add(
      .init(
        name: "migration-longest-lock-wait", unit: "ms",
        ours: [figures.map(\.during.relationWait_ms).max() ?? 0], reference: "lock_timeout",
        theirs: [Double(MigrationScene.lockTimeout_ms)]))
  }
}
