import Derivation
import LocalCluster
import Logging
import Migration
import Operations
import PGOutput
import Postgres

/// The proof: by Crossfade's own verification under traffic, then by judges that share nothing with it.
extension Demo {
  /// Waits until what is committed now is written, traffic or no traffic.
  func catchUp(_ stage: DemoStage, _ traffic: Workload?, _ run: DemoProcess) throws(Failure) {
    let begin = ContinuousClock.now
    let witness = Witness(definition: stage.definition, connection: stage.connection)
    let goal = try stage.ask { (connection) throws(PostgresError) -> LSN in
      let position = try connection.query(
        "SELECT pg_current_wal_insert_lsn()", purpose: "read the WAL position")
      return position[0, 0].flatMap { LSN($0) } ?? .invalid
    }
    while try stage.ask({ (_) throws(PostgresError) in try !witness.hasPassed(goal) }) {
      try run.ensureRunning()
      if let traffic { try ensureTraffic(traffic) }
      let now = try monitor(stage)
      display.show(
        .init(
          title: "catch up", done: UInt64(clamping: now.transactions), unit: "transactions",
          note: "lag \(HumanFormat.bytes(goal.bytes(since: now.applied ?? .invalid)))"))
      try stage.pause(milliseconds: 20)
    }
    let took = HumanFormat.duration(ContinuousClock.now - begin)
    display.done("catch up", "everything committed before \(goal) is written, after \(took)")
  }

  func verify(_ stage: DemoStage, _ figures: inout DemoFigures) throws(Failure) {
    let result = try display.during("verify", "comparing every row with the map, while the traffic goes on") {
      () throws(Failure) -> Verification in
      do throws(PostgresError) {
        return try Verify(
          definition: stage.definition, interrupt: interrupt,
          logger: Logger(label: "verify", factory: { _ in SwiftLogNoOpLogHandler() })
        ).verified()
      } catch {
        throw Failure(error)
      }
    }
    figures.verification = result
    let settled =
      result.settled > 0
      ? "; \(HumanFormat.count(result.settled)) had not arrived yet when first seen" : ""
    display.done(
      "verify",
      "\(HumanFormat.count(result.rows)) rows against the map while the traffic goes on: "
        + "\(HumanFormat.count(result.mismatches)) mismatches\(settled)", Self.tone(result.mismatches == 0))
  }

  func endTraffic(
    _ stage: DemoStage, _ traffic: Workload, _ run: DemoProcess, _ figures: inout DemoFigures
  ) throws(Failure) {
    let tally = traffic.stop()
    figures.applicationErrors = tally.errors
    figures.applicationTransactions = tally.committed
    display.done(
      "traffic",
      "the application ends: \(HumanFormat.count(tally.committed)) transactions committed, "
        + "\(HumanFormat.count(tally.inserted)) rows inserted, \(HumanFormat.count(tally.moved)) moved on, "
        + "\(HumanFormat.count(tally.errorCount)) errors", Self.tone(tally.errorCount == 0))
    try catchUp(stage, nil, run)
    let state = try monitor(stage)
    figures.transactions = state.transactions
    figures.changes = state.changes
    figures.batches = state.batches
    figures.quarantined = state.quarantined
  }

  /// The application kept its own truth in the same transactions; `Oracle` shares no SQL and no map with Crossfade.
  func judge(_ stage: DemoStage, _ figures: inout DemoFigures) throws(Failure) {
    let report = try display.during("audit", "comparing every row with the application's own audit") {
      () throws(Failure) -> OracleReport in
      try stage.ask { (connection) throws(PostgresError) in try Oracle(.derived()).judge(connection) }
    }
    figures.oracle = report
    display.done(
      "audit",
      "\(HumanFormat.count(report.rows)) rows against the application's own audit: "
        + (report.isClean
          ? "none lost, none incomplete, none wrong, none orphaned"
          : report.findings.map { "\($0)" }.joined(separator: "; ")),
      Self.tone(report.isClean))
  }

  func stopCapture(_ stage: DemoStage, _ run: DemoProcess, _ figures: inout DemoFigures) throws(Failure) {
    figures.lastRun = display.during("stop", "asking crossfade run to end") { run.stop() }
    let state = try monitor(stage)
    display.done(
      "stop",
      "crossfade run, asked by SIGTERM, ends in order (\(figures.lastRun.map { "\($0)" } ?? "it did not end")); "
        + "the slot has confirmed \(state.confirmed)", Self.tone(figures.lastRun?.isSuccess == true))
  }

  func compareLog(_ stage: DemoStage, from horizon: Int64, _ figures: inout DemoFigures) throws(Failure) {
    let audit = try display.during(
      "log", "reading the change log, and comparing it with the application's own audit"
    ) { () throws(Failure) -> DemoFigures.LogAudit in
      try LogAudit(directory: stage.logDirectory, horizon: horizon).compare(
        with: try stage.ask { (connection) throws(PostgresError) in
          try LogAudit.audited(from: horizon, on: connection)
        })
    }
    figures.log = audit
    let isClean = audit.lost == 0 && audit.surplus == 0 && audit.damage.isEmpty
    display.done(
      "log",
      "\(HumanFormat.bytes(audit.bytes)) of change log, every checksum read: \(HumanFormat.count(audit.once)) of "
        + "\(HumanFormat.count(audit.audited)) changes of the application stand in it exactly once",
      Self.tone(isClean))
  }

  private static func tone(_ isGood: Bool) -> DemoDisplay.Tone { isGood ? .good : .bad }
}

extension Verify {
  /// `run()` with the one kind of error that a demonstration has words for.
  fileprivate func verified() throws(PostgresError) -> Verification {
    do throws(MigrationError) {
      return try run()
    } catch {
      if case .postgres(let cause) = error { throw cause }
      throw .unexpected(purpose: "verify", what: error.description)
    }
  }
}
