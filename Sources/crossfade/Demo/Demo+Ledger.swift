import Glibc
import LocalCluster
import Operations
import Postgres
import Synchronization

/// The ledger and its application, before anybody thinks of a migration.
extension Demo {
  func makeServer() throws(Failure) -> DemoStage {
    let stage = try display.during("server", "making a cluster") { () throws(Failure) -> DemoStage in
      try DemoStage(plan, interrupt: interrupt)
    }
    let user = geteuid() == 0 ? "an unprivileged user" : "your user"
    display.done(
      "server",
      "PostgreSQL \(stage.cluster.installation.version) runs as \(user) on a unix socket in \(stage.cluster.path), "
        + "fsync on")
    return stage
  }

  func loadLedger(_ stage: DemoStage) throws(Failure) {
    let meter = LoadMeter(total: plan.rows, display: display)
    meter.show(0)
    let bytes = try stage.ask { (connection) throws(PostgresError) -> Int64 in
      try LedgerLoader(rows: plan.rows).createAndLoad(conninfo: stage.conninfo, interrupt: interrupt) {
        meter.show($0)
      }
      try settle(connection)
      return try connection.query(
        "SELECT pg_total_relation_size('public.transactions')", purpose: "measure the ledger"
      ).integer(0, 0) ?? 0
    }
    display.done(
      "ledger",
      "\(HumanFormat.count(plan.rows)) transactions in eight legacy statuses, ninety days of history, "
        + HumanFormat.bytes(UInt64(clamping: bytes)))
  }

  /// Makes the new server like one that has run for some time: what the load left to write is written, and there are
  /// segments of write-ahead log to use again. A server that must make and fill each new one stalls every commit.
  private func settle(_ connection: Connection) throws(PostgresError) {
    // Measured: the migration writes about 450 bytes a row, the load leaves segments for half of it.
    let segments = 8 + plan.rows / 50_000
    try connection.query(
      """
      DO $$ BEGIN
        FOR segment IN 1..\(segments) LOOP
          PERFORM pg_logical_emit_message(false, 'crossfade demo', 'fill');
          PERFORM pg_switch_wal();
        END LOOP;
      END $$
      """, purpose: "make segments of write-ahead log")
    try connection.query("CHECKPOINT", purpose: "write the ledger to disk")
  }

  func measureAlone(
    _ stage: DemoStage, _ traffic: Workload, _ figures: inout DemoFigures
  ) throws(Failure) {
    traffic.start()
    display.done(
      "traffic",
      "\(plan.workload.writers) sessions of the application insert and move statuses, "
        + "\(HumanFormat.count(plan.transactionsPerSecond)) transactions a second, from now until the end")
    // The first second warms caches and sessions up.
    try stage.pause(milliseconds: 1_000)
    let (before, begin) = (traffic.tally(), ContinuousClock.now)
    let limit = Duration.seconds(plan.aloneSeconds)
    while ContinuousClock.now - begin < limit {
      let seconds = UInt64((ContinuousClock.now - begin) / .seconds(1))
      display.show(
        .init(
          title: "alone", done: seconds, total: UInt64(plan.aloneSeconds), unit: "s",
          note: Self.latency(.init(from: before, to: traffic.tally()))))
      try stage.pause(milliseconds: 100)
      try ensureTraffic(traffic)
    }
    figures.alone = .init(from: before, to: traffic.tally())
    display.done("alone", "the application by itself, \(plan.aloneSeconds) s: \(Self.latency(figures.alone))")
  }

  /// Throws when the application has lost its sessions: there is nothing to show then.
  func ensureTraffic(_ traffic: Workload) throws(Failure) {
    guard !traffic.isRunning, !interrupt.isStopped else { return }
    let errors = traffic.tally().errors.map { "\($0.value) x \($0.key)" }.sorted().joined(separator: "\n")
    throw Failure(summary: "the application has stopped:\n\(errors)", exitCode: 2)
  }

  /// "p50 1.20 ms, p99 4.50 ms"; empty when nothing was done.
  static func latency(_ window: DemoFigures.Window) -> String {
    guard window.transactions > 0 else { return "" }
    return "p50 \(HumanFormat.duration(.microseconds(Int64(clamping: window.p50_us)))), "
      + "p99 \(HumanFormat.duration(.microseconds(Int64(clamping: window.p99_us))))"
  }
}

/// Shows how far a load is, whichever thread says so.
private final class LoadMeter: Sendable {
  private let total: Int
  private let display: DemoDisplay
  private let rate = Mutex(RateMeter())

  init(total: Int, display: DemoDisplay) {
    self.total = total
    self.display = display
  }

  func show(_ loaded: Int) {
    if loaded == total { return display.begin("ledger", "indexing and vacuuming") }
    let perSecond = rate.withLock { rate in
      rate.record(UInt64(loaded), at: display.elapsed)
      return rate.perSecond
    }
    display.show(
      .init(
        title: "ledger", done: UInt64(loaded), total: UInt64(total), unit: "transactions", rate: perSecond))
  }
}
