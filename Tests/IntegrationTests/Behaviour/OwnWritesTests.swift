import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Crossfade writes to the table it reads. What it wrote comes back through the slot, and must not go into the log.
  @Suite("Our own writes", .timeLimit(.minutes(5))) struct OwnWritesTests {
    private func expectNoEcho(_ ledger: LedgerFixture, _ process: CrossfadeProcess, mark: String) throws {
      let saidSo = eventually(within: .seconds(20)) { process.output.contains("mark=\(mark)") }
      #expect(saidSo, "\(process.outputTail)")
      let session = try ledger.connect()
      for _ in 0..<20 {
        let id = try ledger.awaitCaughtUp(process)
        try session.script(
          """
          WITH changed AS (
            UPDATE public.transactions SET status = 'CAPTURED' WHERE id = \(id) RETURNING id, status)
          INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'move' FROM changed
          """, purpose: "move")
      }
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0))
      let comparison = try ExactlyOnce(
        log: LoggedHistory(directory: ledger.logDirectory), audit: AuditedHistory(session))
      #expect(comparison.description == "41 transactions, 41 changes, each once and in order")
    }

    @Test("a superuser's carry a replication origin")
    func origin() throws {
      let ledger = try LedgerFixture("own_origin", rows: 10)
      try expectNoEcho(ledger, try ledger.expandAndStart(), mark: "origin")
    }

    @Test(
      "a plain REPLICATION role's begin with a logical message, and so do the backfill's; on 13 an origin is lent"
    )
    func message() throws {
      let ledger = try LedgerFixture("own_message", rows: 50, user: "cf_plain")
      let session = try ledger.connect()
      try ledger.expand()
      try ledger.makePlainRole()
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try ledger.backfill()
      try expectNoEcho(ledger, process, mark: ledger.major >= 14 ? "message" : "origin")
      let missing = try session.query(
        "SELECT count(*) FROM public.transactions WHERE state_id IS NULL", purpose: "count")
      #expect(missing[0] == "0")
    }
  }
}
