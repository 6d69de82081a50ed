import Glibc
import LocalCluster
import Operations
import PGOutput
import Postgres

/// The demonstration, from the empty cluster to the proof. For one thread.
struct Demo: Sendable {
  let plan: DemoPlan
  let display: DemoDisplay
  let interrupt: Interrupt

  /// Runs all of it, and gives what was off: nothing, when all is well.
  func run() throws(Failure) -> [String] {
    display.headline(
      "A card ledger of \(HumanFormat.count(plan.rows)) transactions gets a new column under traffic, "
        + "is killed in the middle, and is proven.")
    var figures = DemoFigures()
    let stage: DemoStage
    do throws(Failure) {
      stage = try makeServer()
    } catch {
      throw explained(error)
    }
    do throws(Failure) {
      try play(on: stage, &figures)
    } catch {
      if plan.keepsCluster, !interrupt.isStopped { keep(stage) }
      throw explained(error)
    }
    display.write("\n" + DemoReport(figures: figures, elapsed: display.elapsed).table + "\n")
    let problems = figures.problems
    if problems.isEmpty {
      display.write("All is well: nothing lost, nothing doubled, nothing wrong.", .good)
    } else {
      display.write("Not well:\n" + problems.map { "  \($0)" }.joined(separator: "\n"), .bad)
    }
    if plan.keepsCluster { keep(stage) }
    return problems
  }

  private func play(on stage: DemoStage, _ figures: inout DemoFigures) throws(Failure) {
    try loadLedger(stage)
    let traffic = Workload(conninfo: stage.conninfo, plan: plan.workload)
    // Letting the traffic go closes its gate, but only `stop` waits for the sessions to end.
    defer { _ = traffic.stop() }
    try measureAlone(stage, traffic, &figures)
    let before = traffic.tally()
    try expand(stage)
    let (run, horizon) = try startCapture(stage)
    let survivor = try backfill(stage, traffic, run, &figures)
    try catchUp(stage, traffic, survivor)
    try verify(stage, &figures)
    figures.during = .init(from: before, to: traffic.tally())
    try endTraffic(stage, traffic, survivor, &figures)
    try judge(stage, &figures)
    try stopCapture(stage, survivor, &figures)
    try compareLog(stage, from: horizon, &figures)
  }

  /// Whatever fails after a Ctrl-C fails because of it.
  private func explained(_ error: Failure) -> Failure {
    display.clear()
    return interrupt.isStopped ? .interrupted : error
  }

  private func keep(_ stage: DemoStage) {
    stage.cluster.leaveRunning()
    display.write(DemoKeepsake(stage: stage).text)
  }
}
