import Glibc
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// Where one commit record ends the next may begin: a position must be neither too far nor too near by a byte.
  @Suite("Commits stand back to back", .timeLimit(.minutes(5))) struct AdjacentCommitTests {
    private static let rows = 6

    @Test("killed after each of them, every one is applied, and logged once")
    func backToBack() throws {
      // One key a batch: the first holds the first row, the second its commit with the second row, and so on. Killed
      // after the second, the process has moved its checkpoint by one transaction.
      let ledger = try LedgerFixture("adjacent", rows: 0) { $0.batch = 1 }
      let first = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(first)
      #expect(first.stop() == .exited(0), "\(first.outputTail)")

      let writers = try (0..<Self.rows).map { _ in try ledger.connect() }
      for writer in writers {
        try writer.script(
          """
          BEGIN;
          WITH changed AS (
            INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency)
            VALUES ('adjacent', 0, 1, 'EUR') RETURNING id, status)
          INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'insert' FROM changed
          """, purpose: "insert")
      }
      for writer in writers { try writer.query("COMMIT", purpose: "commit") }

      let session = try ledger.connect()
      for done in 1...Self.rows {
        let doomed = try ledger.start(failPoint: "committed-before-confirm:2")
        try #require(doomed.wait(within: .seconds(30)) == .signalled(SIGKILL), "\(doomed.outputTail)")
        let applied = try session.query(
          "SELECT count(state_id) FROM public.transactions WHERE card_token = 'adjacent'", purpose: "count")
        #expect(try #require(applied.integer(0, 0)) >= Int64(done))
      }
      let last = try ledger.start()
      try ledger.awaitStream(last)
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      try ledger.expectExact(seed: 0)
      // Nothing but their commit records stood between them, or this would have shown nothing.
      let ends = try LoggedHistory(directory: ledger.logDirectory).transactions.dropFirst().prefix(Self.rows)
        .map(\.commitEnd)
      #expect(zip(ends, ends.dropFirst()).allSatisfy { $1.bytes(since: $0) < 128 }, "\(ends)")
    }
  }
}
