import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The direction `both` where transactions come before they commit, and the old column is an enum.
  @Suite(
    "Both columns are written, by transactions that are streamed and prepared",
    .enabled(if: LedgerFixture.major >= 15, "two-phase decoding in pgoutput came with 15"),
    .timeLimit(.minutes(10)))
  struct BothWaysStreamedTests {
    private static let schema = """
      CREATE TYPE public.card_status AS ENUM (
        'AUTH', 'CAPTURED', 'Settled', 'DECLINED', 'reversed', 'REFUNDED', 'CHARGE BACK', 'EXPIRED');
      CREATE TABLE public.transactions (
        id bigint PRIMARY KEY, card_token text NOT NULL, merchant_id integer NOT NULL, amount_cents bigint NOT NULL,
        currency char(3) NOT NULL, status public.card_status DEFAULT 'AUTH');
      INSERT INTO public.transactions SELECT n, 'c', 1, 1, 'EUR', 'AUTH' FROM generate_series(1, 40) AS n;
      """

    private func ledger(_ name: String) throws -> LedgerFixture {
      try LedgerFixture(
        name, rows: 40, on: LedgerFixture.streamingCluster.get(), schema: Self.schema
      ) { $0.stream = ["streaming: true", "two_phase: true"] }
    }

    @Test(
      "mixed writers on few rows beside large transactions, streamed and prepared: no difference from the mirror"
    )
    func mixed() async throws {
      let ledger = try ledger("both_streamed")
      let process = try ledger.startBothWays(statusType: "public.card_status")
      let seed = Seed.draw(for: "both_streamed")
      let writers = try BothWriters(4, rows: 30, conninfo: ledger.conninfo, seed: seed)
      let bulk = try BothBulk(2, conninfo: ledger.conninfo, seed: seed &+ 50)
      usleep(10_000_000)
      let tally = await writers.stop()
      let counts = try await bulk.stop()
      #expect(tally.failures == [])
      #expect(BothBulk.Kind.allCases.allSatisfy { (counts[$0] ?? 0) > 0 }, "\(counts)")
      try ledger.expectNoDifference(process)
      let streamed = try ledger.connect().query(
        "SELECT stream_txns > 0 FROM pg_stat_replication_slots WHERE slot_name = $1", [.text(ledger.slot)],
        purpose: "ask whether any were streamed")
      #expect(streamed.boolean(0, 0))
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("so it is when the process is killed again and again, in the middle of spools and splices too")
    func killed() async throws {
      let ledger = try ledger("both_streamed_killed")
      var process = try ledger.startBothWays(statusType: "public.card_status")
      let seed = Seed.draw(for: "both_streamed_killed")
      var generator = SeededGenerator(seed: seed)
      let writers = try BothWriters(3, rows: 30, conninfo: ledger.conninfo, seed: seed)
      let bulk = try BothBulk(2, conninfo: ledger.conninfo, seed: seed &+ 50)
      let points = ["spooled", "splicing", "prepared", "applied-before-commit", "committed-before-confirm"]
      for life in 0..<15 {
        process.kill()
        let passes = Int.random(in: 1...20, using: &generator)
        process = try ledger.start(
          failPoint: life % 3 == 2 ? nil : "\(points[life % points.count]):\(passes)")
        if life % 3 == 2 {
          usleep(UInt32.random(in: 100_000...1_200_000, using: &generator))
        } else {
          _ = process.wait(within: .seconds(15))
        }
      }
      process.kill()
      process = try ledger.start()
      try ledger.awaitStream(process)
      let tally = await writers.stop()
      _ = try await bulk.stop()
      #expect(tally.failures == [])
      try ledger.expectNoDifference(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }
  }
}
