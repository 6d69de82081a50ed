import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The whole way forward and back, command by command, under sixteen writers. A mirror written in the same transactions is the
  /// judge: no statement of the application fails, and no row differs.
  @Suite("The whole way under load", .timeLimit(.minutes(10))) struct WholeWayTests {
    private static let (new, old) = ("public.transactions.state_id", "public.transactions.status")

    /// - Parameter readsHistory: whether writers also move rows of others. Where some write one column and some the other, the
    ///   same row at once from both sides is a conflict, which nobody can decide.
    private func plan(
      seed: UInt64, writers: Int = 16, column: WorkloadPlan.Column = .status, readsHistory: Bool = true
    ) -> WorkloadPlan {
      var plan = WorkloadPlan()
      plan.writers = writers
      plan.seed = seed
      plan.transactionsPerSecond = 250 * Double(writers) / 16
      plan.mix.delete = 3
      plan.column = column
      if !readsHistory { plan.mix.history = 0 }
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
        try run(ledger, "rollback", "--yes-drop", Self.new)
        #expect(traffic.isRunning)
      }
      let tally = traffic.stop()
      #expect(tally.errors == [:] && tally.interruptions == 0, "seed \(seed)")
      #expect(tally.committed > 100)
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

    /// Everything is applied, and judged as of one moment.
    private func judge(
      _ ledger: LedgerFixture, _ process: CrossfadeProcess, _ traffics: [Workload], _ what: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for traffic in traffics { try #require(traffic.pause(), sourceLocation: sourceLocation) }
      try ledger.awaitCaughtUp(process)
      let found = try Oracle(.derived()).judge(try ledger.connect()).findings
      #expect(found == [], "\(what)", sourceLocation: sourceLocation)
      for traffic in traffics { traffic.resume() }
    }

    private func ended(
      _ traffic: Workload, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let tally = traffic.stop()
      #expect(tally.errors == [:] && tally.interruptions == 0, "\(what)", sourceLocation: sourceLocation)
      #expect(tally.committed > 100, "\(what)", sourceLocation: sourceLocation)
    }

    /// Retires the old column, as soon as nobody has written it for a second.
    private func contract(_ ledger: LedgerFixture) throws {
      var last: CapturedRun?
      let isDone = try eventually(within: .seconds(60)) {
        let run = try ledger.command("contract", ["--confirm", Self.old])
        last = run
        return run.status == .exited(0)
      }
      try #require(isDone, "\(last?.output ?? "")")
    }

    /// Ends both ways, as soon as nobody has written the new column alone for a second.
    private func forwardOnly(_ ledger: LedgerFixture) throws {
      let words = ["--back", "--forward-only", "--quiet", "1s", "--confirm", Self.old]
      var last: CapturedRun?
      let isDone = try eventually(within: .seconds(60)) {
        let run = try ledger.command("cutover", words)
        last = run
        return run.status == .exited(0)
      }
      try #require(isDone, "\(last?.output ?? "")")
    }

    @Test("cut over and back, with old and new writers side by side: no failed statement, no difference")
    func cutOver() throws {
      let seed = Seed.draw(for: "whole way")
      let ledger = try LedgerFixture("whole_way_cutover", rows: 10_000) { $0.migrate = ["quiet: 1s"] }
      let old = Workload(conninfo: ledger.conninfo, plan: plan(seed: seed, writers: 8, readsHistory: false))
      old.start()
      let process = try ledger.expandAndStart()
      for command in ["backfill", "constrain", "verify"] { try run(ledger, command) }
      try run(ledger, "cutover", "--percent", "50", "--confirm", Self.new)
      try run(ledger, "cutover", "--confirm", Self.new)
      let new = Workload(
        conninfo: ledger.conninfo,
        plan: plan(seed: seed &+ 99, writers: 8, column: .state, readsHistory: false))
      new.start()
      try #require(eventually(within: .seconds(60)) { new.tally().committed > 200 })
      try judge(ledger, process, [old, new], "cut over, seed \(seed)")
      try run(ledger, "cutover", "--back")
      try judge(ledger, process, [old, new], "back again, seed \(seed)")
      ended(new, "new writers, seed \(seed)")
      try judge(ledger, process, [old], "old writers alone, both ways derived, seed \(seed)")
      try forwardOnly(ledger)
      ended(old, "old writers, seed \(seed)")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try run(ledger, "rollback", "--yes-drop", Self.new)
      #expect(try Oracle(.ledger).judge(try ledger.connect()).findings == [], "seed \(seed)")
    }

    @Test(
      "contracted and back, under writers that know the new column alone: no failed statement, no difference")
    func contracted() throws {
      let seed = Seed.draw(for: "whole way")
      let ledger = try LedgerFixture("whole_way_contract", rows: 5_000) { $0.migrate = ["quiet: 1s"] }
      let process = try ledger.expandAndStart()
      for command in ["backfill", "constrain", "verify"] { try run(ledger, command) }
      try run(ledger, "cutover", "--confirm", Self.new)
      // Part of such a release: with a default, an insert of that very status looks as if it had been given.
      try ledger.connect().script(
        "ALTER TABLE public.transactions ALTER COLUMN status DROP DEFAULT", purpose: "release the application"
      )
      let new = Workload(conninfo: ledger.conninfo, plan: plan(seed: seed, column: .state))
      new.start()
      try ledger.awaitRow(
        "SELECT count(*) >= 300 FROM public.ledger_audit WHERE work IS NOT NULL", process,
        within: .seconds(60))
      try contract(ledger)
      try #require(new.pause())
      #expect(try Oracle(.successor()).judge(try ledger.connect()).findings == [], "contracted, seed \(seed)")
      new.resume()
      try run(ledger, "rollback", "--confirm", Self.old)
      try judge(ledger, process, [new], "the old column is back, seed \(seed)")
      try run(ledger, "cutover", "--back")
      ended(new, "seed \(seed)")
      try forwardOnly(ledger)
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try run(ledger, "rollback", "--yes-drop", Self.new)
      #expect(try Oracle(.ledger).judge(try ledger.connect()).findings == [], "seed \(seed)")
      #expect(try run(ledger, "report").contains("**The chain of hashes holds:** "))
    }
  }
}
