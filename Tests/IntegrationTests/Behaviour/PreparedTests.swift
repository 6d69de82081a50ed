import Foundation
import LocalCluster
import Postgres
import Testing

extension LedgerFixture {
  /// A server that streams nearly everything, and prepares where it is asked to.
  static let streamingCluster = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["logical_decoding_work_mem"] = "64kB"
    configuration.settings["max_prepared_transactions"] = "20"
    return try Cluster.running(configuration)
  }

  /// The major version of the server that the tests run on.
  static let major = (try? PostgresInstallation.find())?.majorVersion ?? 0
}

extension Integration {
  /// What the server sends once, when it is prepared, and never again.
  @Suite(
    "Prepared transactions",
    .enabled(if: LedgerFixture.major >= 15, "two-phase decoding in pgoutput came with 15"),
    .timeLimit(.minutes(5)))
  struct PreparedTests {
    private let ledger: LedgerFixture
    private let session: Connection

    init() throws {
      let name = "prepared_\(UInt32.random(in: 0 ... .max))"
      ledger = try LedgerFixture(name, rows: 20, on: LedgerFixture.streamingCluster.get()) {
        $0.stream = ["streaming: true", "two_phase: true"]
      }
      session = try ledger.connect()
    }

    private func prepare(_ gid: String, _ sql: String) throws {
      try session.script("BEGIN; \(sql); PREPARE TRANSACTION '\(gid)'", purpose: "prepare")
    }

    private func settle(_ gid: String, _ end: String) throws {
      try session.query("\(end) PREPARED '\(gid)'", purpose: "settle")
    }

    private func status() throws -> [String: Any] {
      let run = try ledger.command("status", ["--json"])
      return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    private func pending() throws -> [String] {
      try #require(status()["prepared"] as? [[String: Any]]).compactMap { $0["gid"] as? String }
    }

    private func states(of ids: ClosedRange<Int>) throws -> Int64? {
      try session.query(
        "SELECT count(*) FROM public.transactions WHERE id BETWEEN \(ids.lowerBound) AND \(ids.upperBound) "
          + "AND state_id = 3", purpose: "count"
      ).integer(0, 0)
    }

    @Test("they are listed with gid and age, outlive the process, and get to the log when they are committed")
    func outlive() throws {
      var process = try ledger.expandAndStart()
      try prepare("small", "UPDATE public.transactions SET status = 'Settled' WHERE id BETWEEN 1 AND 5")
      // Large enough to be streamed before it is prepared.
      try prepare(
        "large",
        "INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency, status) "
          + "SELECT 'large', g, g, 'EUR', 'Settled' FROM generate_series(1, 5000) g")
      try #require(try eventually(within: .seconds(30)) { try pending() == ["small", "large"] })
      let listed = try #require(status()["prepared"] as? [[String: Any]])
      #expect(listed.map { $0["changes"] as? Int } == [5, 5000])
      #expect(listed.allSatisfy { ($0["age_seconds"] as? Double).map { $0 >= 0 && $0 < 60 } ?? false })
      // Everything else goes on past them.
      try ledger.awaitCaughtUp(process)
      process.kill()
      #expect(try ledger.command("status").output.contains("prepared   2 not settled: 'small' for "))
      #expect(try pending() == ["small", "large"])

      process = try ledger.start()
      try ledger.awaitStream(process)
      try settle("large", "COMMIT")
      try ledger.awaitCaughtUp(process)
      #expect(try pending() == ["small"])
      #expect(
        try session.query(
          "SELECT count(*) FROM public.transactions WHERE card_token = 'large' AND state_id = 3",
          purpose: "count"
        ).integer(0, 0) == 5000)
      #expect(try states(of: 1...5) == 0)
      try settle("small", "COMMIT")
      try ledger.awaitCaughtUp(process)
      #expect(try states(of: 1...5) == 5)
      #expect(try pending().isEmpty)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("one that is rolled back leaves nothing")
    func rolledBack() throws {
      let process = try ledger.expandAndStart()
      try prepare("gone", "UPDATE public.transactions SET status = 'Settled' WHERE id BETWEEN 1 AND 5")
      try #require(try eventually(within: .seconds(30)) { try pending() == ["gone"] })
      try settle("gone", "ROLLBACK")
      try ledger.awaitCaughtUp(process)
      #expect(try pending().isEmpty)
      #expect(process.stop() == .exited(0))
      #expect(try LoggedHistory(directory: ledger.logDirectory).transactions.count == 1)
    }

    @Test("settled while the process is down, they are where they belong when it is back")
    func settledMeanwhile() throws {
      var process = try ledger.expandAndStart()
      try prepare("kept", "UPDATE public.transactions SET status = 'Settled' WHERE id BETWEEN 1 AND 5")
      try prepare("gone", "UPDATE public.transactions SET status = 'Settled' WHERE id BETWEEN 6 AND 9")
      try #require(try eventually(within: .seconds(30)) { try pending() == ["kept", "gone"] })
      process.kill()
      try settle("kept", "COMMIT")
      try settle("gone", "ROLLBACK")
      process = try ledger.start()
      try ledger.awaitCaughtUp(process)
      #expect(try pending().isEmpty)
      #expect(try states(of: 1...5) == 5)
      #expect(try states(of: 6...9) == 0)
      #expect(process.stop() == .exited(0))
    }

    @Test("what has a number and changes nothing is no surprise, however often the connection is lost")
    func empty() throws {
      let process = try ledger.expandAndStart()
      for round in 0..<40 {
        // A sequence and a row lock have a number but no change; the audit is not published.
        let sql = [
          "SELECT nextval('public.transactions_id_seq')",
          "SELECT * FROM public.transactions LIMIT 1 FOR UPDATE",
          "INSERT INTO public.ledger_audit (transaction_id, status, op) VALUES (0, NULL, 'load')",
        ][round % 3]
        try prepare("empty-\(round)", sql)
        try settle("empty-\(round)", round % 4 == 3 ? "ROLLBACK" : "COMMIT")
        if round % 5 == 4 {
          try session.query(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active",
            [.text(ledger.slot)], purpose: "end the walsender")
        }
      }
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      #expect(try pending().isEmpty)
    }

    @Test(
      "one whose spool was taken away is refused when it is committed, with the way back, and nothing is confirmed"
    )
    func spoolLost() throws {
      var process = try ledger.expandAndStart()
      try prepare("lost", "UPDATE public.transactions SET status = 'Settled' WHERE id BETWEEN 1 AND 5")
      try #require(try eventually(within: .seconds(30)) { try pending() == ["lost"] })
      try ledger.awaitCaughtUp(process)
      process.kill()
      try FileManager.default.removeItem(atPath: ledger.logDirectory + "/spool")
      let confirmed = try ReplicationSlot.find(ledger.slot, on: session)?.confirmedFlushLSN
      process = try ledger.start()
      try ledger.awaitStream(process)
      try settle("lost", "COMMIT")
      #expect(process.wait(within: .seconds(30)) == .exited(3), "\(process.outputTail)")
      #expect(process.outputTail.contains("prepared transaction 'lost'"), "\(process.outputTail)")
      #expect(process.outputTail.contains("--drop-slot"), "\(process.outputTail)")
      let after = try #require(try ReplicationSlot.find(ledger.slot, on: session)?.confirmedFlushLSN)
      let history = try LoggedHistory(directory: ledger.logDirectory)
      #expect(confirmed.map { after >= $0 } ?? false)
      #expect(history.transactions.last.map { $0.steps.count } == 1)
    }
  }
}
