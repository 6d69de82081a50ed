import LocalCluster
import Operations

/// What the application saw in a stretch of time.
struct TrafficWindow {
  var seconds = 0.0
  var statements = 0
  var failed = 0
  var p50_ms = 0.0
  var p99_ms = 0.0
  var max_ms = 0.0
  /// The longest that a session of the application waited for a lock on a table.
  var relationWait_ms = 0.0
  /// The longest that one waited for a row, or for whoever has it.
  var rowWait_ms = 0.0

  init(from earlier: WorkloadTally, to later: WorkloadTally, seconds: Double, waits: LockWatch.Longest) {
    let latency = later.statementLatency.since(earlier.statementLatency)
    self.seconds = seconds
    statements = later.statements - earlier.statements
    failed = later.errorCount - earlier.errorCount + later.interruptions - earlier.interruptions
    p50_ms = Double(latency.quantile_us(0.5)) / 1_000
    p99_ms = Double(latency.quantile_us(0.99)) / 1_000
    max_ms = Double(latency.max_us) / 1_000
    relationWait_ms = waits.relation_ms
    rowWait_ms = waits.row_ms
  }
}

/// A phase, beside the same traffic without it.
struct PhaseFigures {
  var phase: String
  var during: TrafficWindow
  /// Right before and right after.
  var alone: [TrafficWindow]

  var alone_ms: Double { alone.map(\.p99_ms).reduce(0, +) / Double(max(1, alone.count)) }
  var ratio: Double? { alone_ms > 0 ? during.p99_ms / alone_ms : nil }

  var line: String {
    "\(phase): p99 \(Report.rounded(during.p99_ms, 2)) ms, alone "
      + alone.map { Report.rounded($0.p99_ms, 2) }.joined(separator: " / ") + " ms"
      + (ratio.map { ", ratio \(Report.rounded($0, 2))" } ?? "")
      + ", \(during.failed) failed, longest lock wait \(Report.rounded(during.relationWait_ms, 0)) ms"
  }

  /// Asked beside measured.
  static func table(_ figures: [PhaseFigures], lockTimeout_ms: Int) -> String {
    var table = Table([
      .text("phase"), .number("s"), .number("statements"), .number("p50 ms"), .number("p99 ms"),
      .number("alone ms"),
      .number("ratio"), .text("<= \(MigrationBench.askedRatio)"), .number("failed"), .text("0"),
      .number("lock wait ms"), .text("<= \(lockTimeout_ms)"), .number("row wait ms"), .number("max ms"),
    ])
    func word(_ holds: Bool) -> String { holds ? "holds" : "MISSED" }
    for found in figures {
      let during = found.during
      table.append([
        found.phase, Report.rounded(during.seconds, 1), HumanFormat.count(during.statements),
        Report.rounded(during.p50_ms, 2), Report.rounded(during.p99_ms, 2), Report.rounded(found.alone_ms, 2),
        found.ratio.map { Report.rounded($0, 2) } ?? "-",
        word((found.ratio ?? 0) <= MigrationBench.askedRatio), "\(during.failed)", word(during.failed == 0),
        Report.rounded(during.relationWait_ms, 0), word(during.relationWait_ms <= Double(lockTimeout_ms)),
        Report.rounded(during.rowWait_ms, 0), Report.rounded(during.max_ms, 1),
      ])
    }
    return table.rendered()
  }
}
