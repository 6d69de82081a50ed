import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The whole way forward and back, command by command, under sixteen writers. A mirror written in the same transactions is the
  /// judge: no statement of the application fails, and no row differs.
  @Suite("The whole way under load", .timeLimit(.minutes(10))) struct WholeWayTests {
    private static let column = "public.transactions.state_id"

    private func plan(seed: UInt64) -> WorkloadPlan {
      var plan = WorkloadPlan()
      plan.writers = 16
      plan.seed = seed
      plan.transactionsPerSecond = 250
      plan.mix.delete = 3
      return plan
    }

    /// Runs a command under the load; what it printed.
    @discardableResult
    private func run(_ ledger: LedgerFixture, _ words: String...) throws -> String {
      let run = try ledger.command(words[0], Array(words.dropFirst()), within: .seconds(180))
      try #require(run.status == .exited(0), "\(words): \(run.output)")
      return run.output
    }

    @Test("forward to verified and back to the beginning, twice: no failed statement, no difference")
    func forwardAndBack() throws {
      let seed = Seed.draw(for: "whole way")
      let ledger = try LedgerFixture("whole_way", rows: 20_000)
      let traffic = Workload(conninfo: ledger.conninfo, plan: plan(seed: seed))
      traffic.start()
      for round in 1...2 {
        let process = try ledger.expandAndStart()
        try run(ledger, "backfill")
        try run(ledger, "constrain")
        try run(ledger, "verify")
        #expect(traffic.pause())
        try ledger.awaitCaughtUp(process)
        #expect(
          try Oracle(.derived()).judge(try ledger.connect()).findings == [], "round \(round), seed \(seed)")
        traffic.resume()
        #expect(process.stop() == .exited(0), "\(process.outputTail)")
        try run(ledger, "rollback", "--yes-drop", Self.column)
        #expect(traffic.isRunning)
      }
      let tally = traffic.stop()
      #expect(tally.errors == [:] && tally.interruptions == 0, "seed \(seed)")
      #expect(tally.committed > 500)
      let session = try ledger.connect()
      #expect(try Oracle(.ledger).judge(session).findings == [], "seed \(seed)")
      let left = try session.query(
        """
        SELECT to_regclass('public.transaction_state') IS NULL
           AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.transactions'::regclass AND attname = 'state_id')
           AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)
           AND NOT EXISTS (SELECT FROM pg_publication)
        """, [.text(ledger.slot)], purpose: "look what is left")
      #expect(left.boolean(0, 0))
      // The evidence of both rounds, in one chain.
      let report = try run(ledger, "report")
      #expect(report.contains("**The chain of hashes holds:** "))
      #expect(report.contains("| none is wrong | "))
      print("whole way: \(tally.committed) transactions, p99 \(tally.statementLatency.quantile_us(0.99)) us")
    }
  }
}
