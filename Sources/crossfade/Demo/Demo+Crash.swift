import LocalCluster
import Migration
import Operations
import PGOutput

/// The worst moment: everything of ours is killed at once, nobody listens for a while, and it comes back.
extension Demo {
  /// Answers with the `crossfade run` that took over.
  func crash(
    _ stage: DemoStage, _ traffic: Workload, _ processes: [DemoProcess], _ seen: BackfillProgress,
    _ figures: inout DemoFigures
  ) throws(Failure) -> DemoProcess {
    for process in processes { process.killHard() }
    figures.killed += processes.count
    let names = processes.map { "\($0.name) (process \($0.pid))" }.joined(separator: " and ")
    display.done("SIGKILL", "\(names) at row \(HumanFormat.count(seen.rows)) of the backfill", .bad)

    let before = traffic.tally()
    let end = ContinuousClock.now + .milliseconds(DemoPlan.darkMilliseconds)
    while ContinuousClock.now < end {
      display.show(
        .init(
          title: "dark", done: UInt64(traffic.tally().committed - before.committed),
          unit: "application transactions that nobody reads"))
      try stage.pause(milliseconds: 100)
    }
    let missed = traffic.tally().committed - before.committed
    let state = try monitor(stage)
    display.done(
      "dark",
      "nobody reads for \(HumanFormat.duration(.milliseconds(DemoPlan.darkMilliseconds))): the application goes on, "
        + "\(HumanFormat.count(missed)) transactions commit, the slot holds "
        + "\(HumanFormat.bytes(UInt64(clamping: state.retained_bytes))) of write-ahead log")
    return try restart(stage, behind: state, &figures)
  }

  private func restart(
    _ stage: DemoStage, behind before: DemoMonitor, _ figures: inout DemoFigures
  ) throws(Failure) -> DemoProcess {
    let begin = ContinuousClock.now
    let run = try startRun(stage)
    let goal = before.current
    var now = before
    while (now.applied ?? .invalid) < goal {
      try run.ensureRunning()
      display.show(
        .init(
          title: "restart", done: UInt64(clamping: now.transactions - before.transactions),
          unit: "transactions",
          note: "lag \(HumanFormat.bytes(now.lag_bytes))"))
      try stage.pause(milliseconds: 50)
      now = try monitor(stage)
    }
    figures.restarts += 1
    let took = ContinuousClock.now - begin
    display.done(
      "restart",
      "crossfade run, process \(run.pid), went on after \(before.applied.map { "\($0)" } ?? "the beginning") and has "
        + "made up for it in \(HumanFormat.duration(took))")
    return run
  }
}
