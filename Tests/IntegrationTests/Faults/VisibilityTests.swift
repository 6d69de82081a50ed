import LocalCluster
import Postgres
import Testing

extension Integration {
  /// A change can arrive before its row is visible, for as long as a synchronous standby keeps its commit waiting.
  @Suite("A commit waits for a synchronous standby", .timeLimit(.minutes(5))) struct VisibilityTests {
    @Test(
      "the checkpoint waits for the transaction, the status names it, and its row gets its state in the end")
    func ghost() throws {
      let cluster = try Cluster.running()
      let ledger = try LedgerFixture("ghost", rows: 10, on: cluster)
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      let observer = try ledger.connect()
      try observer.query("SET synchronous_commit = local", purpose: "not wait")
      let before = try checkpoint(ledger, observer)

      try cluster.configure(["synchronous_standby_names": "ghost"])
      let isConfigured = try eventually(within: .seconds(10)) { () throws(PostgresError) -> Bool in
        try observer.query("SHOW synchronous_standby_names", purpose: "ask")[0] == "ghost"
      }
      #expect(isConfigured)
      let conninfo = ledger.conninfo
      let writer = Worker<String?> {
        do {
          let session = try Connection(conninfo, options: .init(applicationName: "waiting writer"))
          try session.query(
            "INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency) "
              + "VALUES (4711, 'x', 1, 1, 'EUR')", purpose: "insert")
          return nil
        } catch { return "\(error)" }
      }
      var xid = ""
      let isWaiting = try eventually(within: .seconds(20)) { () throws(PostgresError) -> Bool in
        let found = try observer.query(
          "SELECT backend_xid::text FROM pg_stat_activity WHERE application_name = 'waiting writer' "
            + "AND wait_event = 'SyncRep'", purpose: "look for the writer")
        xid = found[0] ?? ""
        return !xid.isEmpty
      }
      #expect(isWaiting)

      #expect(eventually(within: .seconds(20)) { isSettling(ledger, xid) }, "\(process.outputTail)")
      let first = LiveStatusFile.read(ledger.logDirectory)?.writtenAt
      #expect(
        eventually(within: .seconds(20)) {
          isSettling(ledger, xid) && LiveStatusFile.read(ledger.logDirectory)?.writtenAt != first
        })
      #expect(try checkpoint(ledger, observer) == before)
      #expect(!writer.isFinished)

      try cluster.configure(["synchronous_standby_names": ""])
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM public.transactions WHERE id = 4711 AND state_id = 1", process)
      #expect(eventually(within: .seconds(20)) { writer.isFinished })
      #expect(try checkpoint(ledger, observer) != before)
      #expect(process.stop() == .exited(0))
    }

    private func isSettling(_ ledger: LedgerFixture, _ xid: String) -> Bool {
      let status = LiveStatusFile.read(ledger.logDirectory)?.dualWrite
      return status?.phase == "settling"
        && status?.waitingFor?.hasPrefix("transaction \(xid) to become visible, for ") == true
    }

    private func checkpoint(_ ledger: LedgerFixture, _ session: Connection) throws -> String? {
      try session.query(
        "SELECT end_lsn FROM crossfade.checkpoint WHERE slot = $1", [.text(ledger.slot)],
        purpose: "read the checkpoint")[0]
    }
  }
}
