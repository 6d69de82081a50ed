import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The direction `both`: old, new and mixed writers at once, on the same rows.
  @Suite("Both columns are written", .timeLimit(.minutes(10))) struct BothWaysTests {
    @Test(
      "old, new and mixed writers on few rows: both columns end as the last of them meant, and none of ours echoes"
    )
    func mixedWriters() async throws {
      let ledger = try LedgerFixture("both_mixed", rows: 40)
      let process = try ledger.startBothWays()
      let seed = Seed.draw(for: "both_mixed")
      let before = try ledger.counted()
      let writers = try BothWriters(6, rows: 30, conninfo: ledger.conninfo, seed: seed)
      usleep(8_000_000)
      let tally = await writers.stop()
      #expect(tally.failures == [])
      #expect(tally.changes > 1000)
      try ledger.expectNoDifference(process)
      try await expectCounted(ledger, before + tally.changes)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("so it is when the process is killed again and again, and each change is counted once")
    func killed() async throws {
      let ledger = try LedgerFixture("both_killed", rows: 40)
      var process = try ledger.startBothWays()
      let seed = Seed.draw(for: "both_killed")
      var generator = SeededGenerator(seed: seed)
      let before = try ledger.counted()
      let writers = try BothWriters(4, rows: 30, conninfo: ledger.conninfo, seed: seed)
      for life in 0..<14 {
        process.kill()
        let point = ["applied-before-commit", "committed-before-confirm"][life % 2]
        let passes = Int.random(in: 1...40, using: &generator)
        process = try ledger.start(failPoint: life % 3 == 2 ? nil : "\(point):\(passes)")
        if life % 3 == 2 {
          usleep(UInt32.random(in: 100_000...900_000, using: &generator))
        } else {
          _ = process.wait(within: .seconds(20))
        }
      }
      process.kill()
      process = try ledger.start()
      try ledger.awaitStream(process)
      let tally = await writers.stop()
      #expect(tally.failures == [])
      try ledger.expectNoDifference(process)
      try await expectCounted(ledger, before + tally.changes)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("so it is on a partitioned table whose rows change partition")
    func partitioned() async throws {
      let ledger = try LedgerFixture("both_partitioned", rows: 40, schema: Self.partitionedSchema)
      let process = try ledger.startBothWays(
        identity: "ALTER TABLE public.transactions_0 REPLICA IDENTITY FULL; "
          + "ALTER TABLE public.transactions_1 REPLICA IDENTITY FULL")
      let seed = Seed.draw(for: "both_partitioned")
      let writers = try BothWriters(4, rows: 30, conninfo: ledger.conninfo, seed: seed)
      usleep(5_000_000)
      let tally = await writers.stop()
      #expect(tally.failures == [])
      try ledger.expectNoDifference(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    private static let partitionedSchema = """
      CREATE TABLE public.transactions (
        id bigint PRIMARY KEY, card_token text NOT NULL, merchant_id integer NOT NULL, amount_cents bigint NOT NULL,
        currency char(3) NOT NULL, status text DEFAULT 'AUTH') PARTITION BY HASH (id);
      CREATE TABLE public.transactions_0 PARTITION OF public.transactions FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE public.transactions_1 PARTITION OF public.transactions FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO public.transactions SELECT n, 'c', 1, 1, 'EUR', 'AUTH' FROM generate_series(1, 40) AS n;
      """

    /// The account comes with the checkpoint, which may come a moment after the rows.
    private func expectCounted(_ ledger: LedgerFixture, _ changes: Int) async throws {
      _ = try eventually(within: .seconds(20)) { try ledger.counted() >= changes }
      usleep(500_000)
      #expect(try ledger.counted() == changes)
    }

    @Test(
      "a writer of both columns that contradicts itself is put in quarantine, and neither column is touched")
    func contradiction() throws {
      let ledger = try LedgerFixture("both_conflict", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        "UPDATE public.transactions SET status = 'CAPTURED', state_id = 3 WHERE id = 1", purpose: "contradict"
      )
      try ledger.awaitRow("SELECT count(*) = 1 FROM crossfade.quarantine WHERE key = '[\"1\"]'", process)
      let row = try session.query(
        "SELECT status, state_id FROM public.transactions WHERE id = 1", purpose: "ask")
      #expect(row[0, 0] == "CAPTURED" && row[0, 1] == "3")
      #expect(try ledger.counted("conflict") == 1)
      // The next word on the row settles it.
      try session.script("UPDATE public.transactions SET state_id = 2 WHERE id = 1", purpose: "settle")
      try ledger.awaitRow("SELECT count(*) = 0 FROM crossfade.quarantine", process)

      try session.script(
        "UPDATE public.transactions SET state_id = 77 WHERE id = 2", purpose: "unknown state")
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM crossfade.quarantine WHERE reason LIKE '%no such state%77%'", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("at rest nothing is derived, changes are counted, and run starts when the old column is gone")
    func rest() throws {
      let ledger = try LedgerFixture("both_rest", rows: 10)
      var process = try ledger.startBothWays()
      let session = try ledger.connect()
      try ledger.turn(to: "rest", process)
      try session.script(
        "ALTER TABLE public.transactions RENAME COLUMN status TO status_retired", purpose: "rename")
      let before = try ledger.counted()
      try session.script("UPDATE public.transactions SET state_id = 5 WHERE id = 1", purpose: "write")
      try ledger.awaitRow("SELECT sum(count) = \(before + 1) FROM crossfade.legacy", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try session.script("ALTER TABLE public.transactions DROP COLUMN status_retired", purpose: "drop")
      process = try ledger.start()
      try ledger.awaitStream(process)
      try session.script("UPDATE public.transactions SET state_id = 6 WHERE id = 1", purpose: "write")
      try ledger.awaitRow("SELECT sum(count) = \(before + 2) FROM crossfade.legacy", process)
      #expect(try ledger.counted("new") >= 2)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }
  }
}
