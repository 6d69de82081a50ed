import Derivation
import LocalCluster
import Migration
import Operations
import Postgres

/// The migration, with commands as an operator would give them.
extension Demo {
  func expand(_ stage: DemoStage) throws(Failure) {
    let said = try display.during("expand", "adding the map table and the nullable column") {
      () throws(Failure) -> String in
      try DemoProcess.run(["expand", stage.slotPath], environment: stage.environment)
    }
    display.done("expand", said.split(separator: "\n").joined(separator: "; "))
  }

  /// Starts `crossfade run`. Answers with it, and with the number from which on every transaction is captured.
  func startCapture(_ stage: DemoStage) throws(Failure) -> (run: DemoProcess, horizon: Int64) {
    let run = try startRun(stage)
    try display.during("capture", "making publication and slot") { () throws(Failure) in
      while try monitor(stage).applied == nil {
        try run.ensureRunning()
        try stage.pause(milliseconds: 50)
      }
    }
    let horizon = try stage.ask { (connection) throws(PostgresError) -> Int64 in
      try connection.query(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
        purpose: "read the next transaction's number"
      ).integer(0, 0) ?? 0
    }
    display.done(
      "capture",
      "crossfade run, process \(run.pid), reads slot \(stage.definition.slot) from "
        + "\(try monitor(stage).confirmed) into the change log")
    return (run, horizon)
  }

  /// Backfills, is killed in the middle, goes on. Answers with the `crossfade run` that lives then.
  func backfill(
    _ stage: DemoStage, _ traffic: Workload, _ run: DemoProcess, _ figures: inout DemoFigures
  ) throws(Failure) -> DemoProcess {
    let begin = ContinuousClock.now
    let first = try startBackfill(stage)
    var seen = try follow(stage, traffic, first, run) { progress in
      Double(progress.rows) >= Double(max(1, progress.expected)) * DemoPlan.killAtShare
    }
    let survivor = try crash(stage, traffic, [first, run], seen, &figures)
    let again = try startBackfill(stage)
    seen = try follow(stage, traffic, again, survivor) { _ in false }
    figures.backfillSeconds = (ContinuousClock.now - begin) / .seconds(1)
    figures.backfilled = seen.rows
    display.done(
      "backfill",
      "\(HumanFormat.count(seen.rows)) rows looked at, \(HumanFormat.count(seen.written)) written, "
        + "the rest was the stream's already; "
        + HumanFormat.duration(.milliseconds(Int64(figures.backfillSeconds * 1_000))) + " with the crash")
    return survivor
  }

  func startRun(_ stage: DemoStage) throws(Failure) -> DemoProcess {
    try DemoProcess(
      ["run", stage.slotPath], environment: stage.environment, logPath: stage.logPath(of: "run"))
  }

  func monitor(_ stage: DemoStage) throws(Failure) -> DemoMonitor {
    try stage.ask { (connection) throws(PostgresError) in
      try DemoMonitor(slot: stage.definition.slot, on: connection)
    }
  }

  private func startBackfill(_ stage: DemoStage) throws(Failure) -> DemoProcess {
    try DemoProcess(
      ["backfill", stage.slotPath], environment: stage.environment, logPath: stage.logPath(of: "backfill"))
  }

  /// Shows a backfill's progress until `isEnough`, or until it has ended well.
  private func follow(
    _ stage: DemoStage, _ traffic: Workload, _ backfill: DemoProcess, _ run: DemoProcess,
    until isEnough: (BackfillProgress) -> Bool
  ) throws(Failure) -> BackfillProgress {
    var rate = RateMeter(window: .seconds(5))
    let begin = traffic.tally()
    while true {
      let status = backfill.status  // Before the question: what it wrote in its life is then all there.
      let progress = try stage.ask { (connection) throws(PostgresError) in
        try BackfillProgress.load(slot: stage.definition.slot, on: connection)
      }
      if let status {
        guard status.isSuccess, let progress else { throw backfill.ended(status) }
        return progress
      }
      if let progress {
        if isEnough(progress) { return progress }
        let done = UInt64(clamping: progress.rows)
        rate.record(done, at: display.elapsed)
        display.show(
          .init(
            title: "backfill", done: done, total: max(done, UInt64(clamping: progress.expected)),
            unit: "rows",
            rate: rate.perSecond,
            note: "lag \(HumanFormat.bytes(try monitor(stage).lag_bytes)), "
              + Self.latency(.init(from: begin, to: traffic.tally()))))
      }
      try run.ensureRunning()
      try ensureTraffic(traffic)
      try stage.pause(milliseconds: 100)
    }
  }
}
