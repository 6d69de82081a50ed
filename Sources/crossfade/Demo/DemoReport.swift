import LocalCluster
import Operations

/// The report at the end.
struct DemoReport {
  let figures: DemoFigures
  let elapsed: Duration

  /// Two tables: what was done, and what the application saw of it.
  var table: String { [outcome, latency].joined(separator: "\n\n") }

  private var outcome: String {
    var table = Table([.text("migration"), .number("")])
    table.append(["rows", HumanFormat.count(figures.oracle?.rows ?? 0)])
    table.append(["rows backfilled", HumanFormat.count(figures.backfilled)])
    table.append(["changes captured and applied", HumanFormat.count(figures.changes)])
    table.append(["  in transactions", HumanFormat.count(figures.transactions)])
    table.append(["  in batches", HumanFormat.count(figures.batches)])
    table.append(["processes killed with SIGKILL", HumanFormat.count(figures.killed)])
    table.append(["restarts", HumanFormat.count(figures.restarts)])
    table.append(["mismatches", HumanFormat.count(figures.mismatches)])
    table.append(["application errors", HumanFormat.count(figures.applicationErrors.values.reduce(0, +))])
    table.append(["wall time", HumanFormat.duration(elapsed)])
    return table.rendered()
  }

  private var latency: String {
    var table = Table([.text("application"), .number("alone"), .number("during")])
    func row(_ title: String, _ value: (DemoFigures.Window) -> UInt64) {
      table.append(
        [title]
          + [figures.alone, figures.during].map {
            HumanFormat.duration(.microseconds(Int64(clamping: value($0))))
          })
    }
    row("p50", \.p50_us)
    row("p99", \.p99_us)
    row("slowest", \.max_us)
    table.append(
      ["transactions"] + [figures.alone, figures.during].map { HumanFormat.count($0.transactions) })
    return table.rendered()
  }
}
