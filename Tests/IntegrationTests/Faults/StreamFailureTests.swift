import LocalCluster
import Postgres
import Testing

extension Integration {
  /// 16 and 18 end the stream with an error where a table was changed in a savepoint, rolled back and changed again in a
  /// transaction that they stream; they send the same transaction well when it has committed.
  @Suite("What the server cannot stream", .timeLimit(.minutes(5))) struct StreamFailureTests {
    @Test("comes when it has committed, and the stream goes on")
    func fallsBack() throws {
      let ledger = try LedgerFixture("stream_failure", rows: 20, on: LedgerFixture.streamingCluster.get()) {
        if LedgerFixture.major >= 14 { $0.stream = ["streaming: true"] }
      }
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      func insert(_ count: Int) -> String {
        """
        WITH changed AS (
          INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency, status)
          SELECT 'rewritten', g, g, 'EUR', 'Settled' FROM generate_series(1, \(count)) AS g RETURNING id, status)
        INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'insert' FROM changed;
        """
      }
      let session = try ledger.connect()
      try session.script(
        """
        BEGIN;
        \(insert(1500))
        SAVEPOINT renamed;
        ALTER TABLE public.transactions RENAME COLUMN merchant_id TO merchant;
        INSERT INTO public.transactions (card_token, merchant, amount_cents, currency)
        SELECT 'lost', g, g, 'EUR' FROM generate_series(1, 1500) AS g;
        ROLLBACK TO renamed;
        RELEASE renamed;
        \(insert(1500))
        ALTER TABLE public.transactions ALTER merchant_id TYPE bigint;
        \(insert(1500))
        COMMIT;
        """, purpose: "rewrite the table in mid-transaction")
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      if ledger.major >= 18 {
        #expect(
          process.output.contains("from now on they are asked for when they commit"), "\(process.outputTail)")
      }
      let states = try session.query(
        "SELECT count(*) FROM public.transactions WHERE card_token = 'rewritten' AND state_id = 3",
        purpose: "count")
      #expect(states.integer(0, 0) == 4500)
      let logged = try LoggedHistory(directory: ledger.logDirectory).transactions
      #expect(logged.map(\.steps.count) == [1, 4500, 1])
    }
  }
}
