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
        identity:
          "ALTER TABLE public.transactions REPLICA IDENTITY FULL; ALTER TABLE public.transactions_0 REPLICA IDENTITY FULL; "
          + "ALTER TABLE public.transactions_1 REPLICA IDENTITY FULL")
      let seed = Seed.draw(for: "both_partitioned")
      let writers = try BothWriters(4, rows: 30, conninfo: ledger.conninfo, seed: seed)
      usleep(5_000_000)
      let tally = await writers.stop()
      #expect(tally.failures == [])
      try ledger.expectNoDifference(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("so it is for a plain role, whose writes are marked by a message; on 13 an origin is lent")
    func plainRole() async throws {
      let ledger = try LedgerFixture("both_plain", rows: 40, user: "cf_both_plain")
      try ledger.expand()
      try ledger.makePlainRole()
      try ledger.connect().script(
        "GRANT UPDATE (status) ON public.transactions TO cf_both_plain", purpose: "grant")
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try ledger.goBothWays(process)
      let before = try ledger.counted()
      let writers = try BothWriters(
        4, rows: 30, conninfo: ledger.conninfo, seed: Seed.draw(for: "both_plain"))
      usleep(4_000_000)
      let tally = await writers.stop()
      #expect(tally.failures == [])
      try ledger.expectNoDifference(process)
      try await expectCounted(ledger, before + tally.changes)
      #expect(process.output.contains("mark=\(ledger.major >= 14 ? "message" : "origin")"))
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("so it is when the server is killed, and comes back without its last commits")
    func serverKilled() async throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let cluster = try Cluster.running(configuration)
      let ledger = try LedgerFixture("both_server", rows: 40, on: cluster)
      let process = try ledger.startBothWays()
      let seed = Seed.draw(for: "both_server")
      for round in 0..<3 as Range<UInt64> {
        let writers = try BothWriters(4, rows: 30, conninfo: ledger.conninfo, seed: seed &+ round * 100)
        usleep(1_500_000)
        if round < 2 {
          try cluster.kill9()
          _ = await writers.stop()
          try cluster.start()
        } else {
          #expect(await writers.stop().failures == [])
        }
      }
      try ledger.expectNoDifference(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a prepared transaction's intentions come with its commit", .enabled(if: LedgerFixture.major >= 15))
    func prepared() async throws {
      let ledger = try LedgerFixture("both_prepared", rows: 40, on: LedgerFixture.streamingCluster.get()) {
        $0.stream = ["streaming: true", "two_phase: true"]
      }
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        """
        BEGIN;
        SELECT public.act('new', 31, CASE WHEN state_id = 3 THEN 4 ELSE 3 END, true) FROM public.transactions WHERE id = 31;
        SELECT public.act('old', 32, CASE WHEN state_id = 5 THEN 6 ELSE 5 END, false) FROM public.transactions WHERE id = 32;
        PREPARE TRANSACTION 'both';
        """, purpose: "prepare")
      let writers = try BothWriters(
        3, rows: 30, conninfo: ledger.conninfo, seed: Seed.draw(for: "both_prepared"))
      usleep(1_500_000)
      try session.query("COMMIT PREPARED 'both'", purpose: "settle")
      #expect(await writers.stop().failures == [])
      try ledger.expectNoDifference(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a legacy write is counted for the application that its transaction names",
      .enabled(if: LedgerFixture.major >= 14, "13 sends no logical messages"))
    func application() throws {
      let ledger = try LedgerFixture("both_application", rows: 10)
      let process = try ledger.startBothWays()
      try ledger.connect().script(
        """
        BEGIN;
        SELECT public.act('old', 3, CASE WHEN state_id = 3 THEN 4 ELSE 3 END, true) FROM public.transactions WHERE id = 3;
        SELECT pg_logical_emit_message(true, 'crossfade.writer', '\(ledger.slot)' || chr(10) || 'billing');
        COMMIT;
        """, purpose: "write the old way")
      try ledger.awaitRow(
        """
        SELECT count(*) = 1 FROM crossfade.legacy WHERE kind = 'old' AND application = 'billing' AND count = 1
           AND last_keys = '[["3"]]' AND day = (now() AT TIME ZONE 'UTC')::date AND last_at > now() - interval '1 hour'
        """, process)
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

    @Test("a trigger OF one column fires for those rows only in which that column follows")
    func triggersOfAColumn() throws {
      let ledger = try LedgerFixture("both_triggers", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        """
        CREATE TABLE public.fired (what text, id bigint);
        CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.fired VALUES (TG_ARGV[0], NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER of_old AFTER UPDATE OF status ON public.transactions FOR EACH ROW
          WHEN (current_setting('application_name') LIKE 'crossfade%') EXECUTE FUNCTION public.fire('status');
        CREATE TRIGGER of_new AFTER UPDATE OF state_id ON public.transactions FOR EACH ROW
          WHEN (current_setting('application_name') LIKE 'crossfade%') EXECUTE FUNCTION public.fire('state_id');
        BEGIN;
        SELECT public.act('old', 3, CASE WHEN state_id = 3 THEN 4 ELSE 3 END, false) FROM public.transactions WHERE id = 3;
        SELECT public.act('new', 4, CASE WHEN state_id = 3 THEN 4 ELSE 3 END, false) FROM public.transactions WHERE id = 4;
        COMMIT;
        """, purpose: "write both ways")
      try ledger.expectNoDifference(process)
      try ledger.awaitRow("SELECT count(*) = 2 FROM public.fired", process)
      let fired = try session.query(
        "SELECT string_agg(what || ' ' || id, ', ' ORDER BY id) FROM public.fired", purpose: "ask")
      #expect(fired[0, 0] == "state_id 3, status 4")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

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
      for pair in ["'AUTH', 1", "'CAPTURED', 3"] {
        try session.script(
          "UPDATE public.transactions SET (status, state_id) = (\(pair)) WHERE id = 1", purpose: "contradict")
      }
      try ledger.awaitRow("SELECT count(*) = 1 FROM crossfade.quarantine WHERE key = '[\"1\"]'", process)
      let row = try session.query(
        "SELECT status, state_id FROM public.transactions WHERE id = 1", purpose: "ask")
      #expect(row[0, 0] == "CAPTURED" && row[0, 1] == "3")
      #expect(try ledger.counted("conflict") == 1)
      for (command, options) in [("backfill", []), ("replay", ["--from", "earliest", "--apply", "--yes"])] {
        let refused = try ledger.command(command, options)
        #expect(refused.status == .exited(3), "\(refused.output)")
        #expect(refused.output.contains("the application writes the new column itself by now"))
      }
      let status = try ledger.command("status").output
      #expect(
        status.contains("direction  both: whichever column a writer changes, the other follows, since "))
      #expect(status.contains("1 both, in contradiction"), "\(status)")
      // The next word on the row settles it.
      try session.script("UPDATE public.transactions SET state_id = 2 WHERE id = 1", purpose: "settle")
      try ledger.awaitRow("SELECT count(*) = 0 FROM crossfade.quarantine", process)

      try session.script(
        "SET session_replication_role = replica; UPDATE public.transactions SET state_id = 77 WHERE id = 2",
        purpose: "unknown state, past the foreign key")
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM crossfade.quarantine WHERE reason LIKE '%no such state%77%'", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("at rest nothing is derived, changes are counted, and run starts when the old column is gone")
    func rest() async throws {
      let ledger = try LedgerFixture("both_rest", rows: 10)
      var process = try ledger.startBothWays()
      let session = try ledger.connect()
      let counted = try ledger.counted()
      // It turns under load, too, though there is hardly a moment without something that is to be written.
      let writers = try BothWriters(6, rows: 10, conninfo: ledger.conninfo, seed: Seed.draw(for: "both_rest"))
      usleep(1_000_000)
      try ledger.turn(to: "rest", process)
      try await expectCounted(ledger, counted + (await writers.stop()).changes)
      try session.script(
        "ALTER TABLE public.transactions RENAME COLUMN status TO status_retired", purpose: "rename")
      let before = try ledger.counted()
      try session.script(
        "INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, state_id) "
          + "VALUES (9001, 'c', 1, 1, 'EUR', 5)", purpose: "write")
      try ledger.awaitRow("SELECT sum(count) = \(before + 1) FROM crossfade.legacy", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try session.script("ALTER TABLE public.transactions DROP COLUMN status_retired", purpose: "drop")
      process = try ledger.start()
      try ledger.awaitStream(process)
      try session.script("UPDATE public.transactions SET state_id = 6 WHERE id = 9001", purpose: "write")
      try ledger.awaitRow("SELECT sum(count) = \(before + 2) FROM crossfade.legacy", process)
      #expect(try ledger.counted("new") >= 2)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }
  }
}
