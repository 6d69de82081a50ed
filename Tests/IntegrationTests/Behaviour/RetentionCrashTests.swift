import ChangeLog
import Foundation
import Glibc
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  @Suite("Retention and a crash of the target", .timeLimit(.minutes(5))) struct RetentionCrashTests {
    @Test(
      "what a server that crashes may need again is not dropped: a checkpoint counts once it is flushed there"
    )
    func crash() throws {
      // Nothing flushes a commit that did not wait for it: the WAL writer is held, all others have nothing to write.
      var configuration = ClusterConfiguration()
      configuration.settings = [
        "bgwriter_lru_maxpages": "0", "autovacuum": "off", "checkpoint_timeout": "1h",
      ]
      let cluster = try Cluster.running(configuration)
      let ledger = try LedgerFixture("retention_crash", rows: 2000, on: cluster) {
        $0.segment = "64KiB"
        $0.log = ["retain: {size: 64KiB}"]
      }
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      try ledger.awaitCaughtUp(process)
      let session = try ledger.connect()
      let writer = try #require(
        try session.query(
          "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'", purpose: "find the WAL writer"
        ).integer(0, 0).map { pid_t($0) })
      try #require(kill(writer, SIGSTOP) == 0)
      defer { kill(writer, SIGCONT) }
      for _ in 0..<8 {
        try session.query(
          "UPDATE public.transactions SET amount_cents = amount_cents + 1, card_token = md5(random()::text)",
          purpose: "write more than the log keeps")
      }
      let applied = eventually(within: .seconds(60)) { Self.checkpointIsAhead(ledger) }
      #expect(applied, "\(process.outputTail)")
      #expect(try LogSource(directory: ledger.logDirectory).segments().count > 1)
      // Longer than two looks of retention.
      _ = eventually(within: .seconds(12)) { process.output.contains("dropped by retention") }
      #expect(!process.output.contains("dropped by retention"), "\(process.outputTail)")
      try cluster.kill9()
      try cluster.start()
      let dropped = eventually(within: .seconds(60)) { process.output.contains("dropped by retention") }
      #expect(dropped, "\(process.outputTail)")
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      let own = try ledger.command("verify")
      #expect(own.status == .exited(0), "\(own.output)")
    }

    /// Whether the dual-write has applied all that is logged.
    private static func checkpointIsAhead(_ ledger: LedgerFixture) -> Bool {
      guard let data = FileManager.default.contents(atPath: "\(ledger.logDirectory)/status.json"),
        let status = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
        let dualWrite = status["dual_write"] as? [String: Any],
        let capture = status["capture"] as? [String: Any],
        let checkpoint = (dualWrite["checkpoint"] as? String).flatMap({ LSN($0) }),
        let logged = (capture["logged"] as? String).flatMap({ LSN($0) }),
        let changes = dualWrite["changes"] as? Int
      else { return false }
      return changes >= 16_000 && checkpoint <= logged
    }
  }
}
