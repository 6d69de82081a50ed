import ChangeLog
import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// A transaction of several megabytes goes to the log in many groups, each written and synced on its own.
  @Suite("A transaction larger than the log's groups is cut off", .timeLimit(.minutes(5)))
  struct BulkTransactionTests {
    private static let rows = 50_000

    private static let insert = """
      WITH changed AS (
        INSERT INTO public.transactions (card_token, merchant_id, amount_cents, currency)
        SELECT 'bulk', g, g, 'EUR' FROM generate_series(1, \(rows)) AS g RETURNING id, status)
      INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'insert' FROM changed
      """

    private static let move = """
      WITH changed AS (
        UPDATE public.transactions SET status = 'CAPTURED' WHERE status = 'AUTH' RETURNING id, status)
      INSERT INTO public.ledger_audit (transaction_id, status, op) SELECT id, status, 'move' FROM changed
      """

    @Test("a reader of the log never sees a part of it, and in the end it is there once")
    func cutOff() throws {
      let seed = Seed.draw(for: "bulk")
      var generator = SeededGenerator(seed: seed)
      let ledger = try LedgerFixture("bulk", rows: 0)
      var process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      let session = try ledger.connect()
      var unfinished = 0
      for statement in [Self.insert, Self.move] {
        #expect(process.stop() == .exited(0), "\(process.outputTail)")
        let before = try LoggedHistory(directory: ledger.logDirectory).transactions
        try session.script(statement, purpose: "change many rows")
        // Two megabytes come in four groups at least: a small one first, then at most a megabyte each.
        for point in ["received", "logged-before-sync", "received", "synced-before-confirm"] {
          let pass = Int.random(in: 2...3, using: &generator)
          let doomed = try ledger.start(failPoint: "\(point):\(pass)")
          try #require(doomed.wait(within: .seconds(60)) == .signalled(SIGKILL), "\(doomed.outputTail)")
          #expect(
            try LoggedHistory(directory: ledger.logDirectory).transactions == before, "\(point):\(pass)")
          if try LogVerifier.verify(directory: ledger.logDirectory).unfinishedBytes > 0 { unfinished += 1 }
        }
        process = try ledger.start()
        try ledger.awaitStream(process)
        try ledger.awaitCaughtUp(process)
      }
      #expect(process.stop() == .exited(0))
      #expect(unfinished >= 4)
      try ledger.expectExact(seed: seed)
    }
  }
}
