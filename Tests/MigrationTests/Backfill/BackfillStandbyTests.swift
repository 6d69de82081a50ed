import Derivation
import LocalCluster
import Postgres
import Synchronization
import Testing

@testable import Migration

/// A real physical standby that replays slowly, not at all, or is gone.
@Suite("Backfill: a standby", .timeLimit(.minutes(5)), .serialized) struct BackfillStandbyTests {
  private static let limit = 4 << 20
  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  private func lag(_ session: Connection) throws -> Int64 {
    try session.query(
      "SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn)), 0)::bigint FROM pg_stat_replication",
      purpose: "ask"
    ).integer(0, 0) ?? 0
  }

  @Test(
    "the backfill keeps a standby's lag under its bound while it replays nothing, goes on with it, and stops when it is gone"
  )
  func held() throws {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["autovacuum"] = "off"
    let primary = try Cluster.running(configuration)
    let standby = try Cluster.standby(of: primary)
    var ledger = try LedgerDatabase("standby_lag", on: primary)
    try ledger.run(
      "INSERT INTO public.transactions SELECT n, 'AUTH' FROM generate_series(1, 150000) AS n; CHECKPOINT")
    try ledger.ready(interrupt)
    try #require(try standby.hasReplayed(primary))
    ledger.definition.backfill.batch = 500
    ledger.definition.backfill.signals = .init(
      limits: [.replicaBytes: .init(Double(Self.limit)), .replicaLag: .init(60_000)])
    try standby.connect().query("SELECT pg_wal_replay_pause()", purpose: "pause")

    let running = try RunningBackfill(ledger)
    try running.await { $0.state.name == "held" }
    let session = try ledger.connect()
    let reason = running.last?.state.reason ?? ""
    #expect(
      reason.hasPrefix("replica_bytes ") && reason.contains("limit 4.0 MiB (standby standby"), "\(reason)")
    // Its own WAL counts at once, not at the next look, and what the next batch would write.
    let atHold = try lag(session)
    #expect(atHold < Int64(Self.limit), "\(atHold)")
    let rows = try #require(running.last?.progress.rows)
    #expect(rows > 500 && rows < 150_000)
    // It stays held while nothing is replayed, whatever the server's own replay_lag says.
    #expect(interrupt.wait(milliseconds: 1500) == false)
    let later = try lag(session)
    #expect(later < atHold + 100_000, "\(atHold), then \(later)")
    #expect(running.last?.progress.rows == rows)

    try standby.connect().query("SELECT pg_wal_replay_resume()", purpose: "resume")
    try running.await { $0.progress.rows > rows }
    try standby.stop(.fast)
    try running.await { $0.state.reason?.contains("is not connected any more") == true }
    #expect(running.last?.state.name == "held")
    #expect(running.last?.state.reason?.hasPrefix("replica_lag unknown (standby standby") == true)
    try standby.start()
    let done = try running.finish(within: .seconds(120))
    #expect(done.account.description == "150000 looked at, 150000 written")
    #expect(done.clocks.throttled > 1000)
  }
}
