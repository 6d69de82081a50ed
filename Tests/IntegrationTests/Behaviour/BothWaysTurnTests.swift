import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// What goes on around the direction `both`: tables emptied, ways back, commands beside it.
  @Suite("While both columns are written", .timeLimit(.minutes(5))) struct BothWaysTurnTests {
    private func pair(_ ledger: LedgerFixture, _ id: Int) throws -> String {
      let row = try ledger.connect().query(
        "SELECT status, state_id FROM public.transactions WHERE id = $1", [.integer(id)], purpose: "ask")
      return "\(row[0, 0] ?? "NULL") \(row[0, 1] ?? "NULL")"
    }

    private func awaitPair(
      _ ledger: LedgerFixture, _ id: Int, _ status: String, _ state: Int, _ process: CrossfadeProcess
    ) throws {
      try ledger.awaitRow(
        "SELECT status = '\(status)' AND state_id = \(state) FROM public.transactions WHERE id = \(id)",
        process)
    }

    @Test("a truncate ends what was meant before it, in its own transaction too, and nothing after it")
    func truncate() throws {
      let ledger = try LedgerFixture("both_truncate", rows: 10)
      var process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        """
        UPDATE public.transactions SET (status, state_id) =
          (CASE status WHEN 'CAPTURED' THEN 'AUTH' ELSE 'CAPTURED' END, CASE state_id WHEN 3 THEN 4 ELSE 3 END)
         WHERE id = 1
        """, purpose: "contradict")
      try ledger.awaitRow("SELECT count(*) = 1 FROM crossfade.quarantine", process)
      process.kill()
      // All of this comes in one batch, so that intentions stand when the truncate is read.
      try session.script(
        """
        SELECT public.act('old', id, CASE WHEN state_id = 4 THEN 5 ELSE 4 END, false)
          FROM public.transactions WHERE id IN (2, 3, 4);
        BEGIN;
        SELECT public.act('new', 5, CASE WHEN state_id = 4 THEN 5 ELSE 4 END, false) FROM public.transactions WHERE id = 5;
        SELECT public.act('insert-old', 50, 2, false);
        TRUNCATE public.transactions, public.mirror;
        SELECT public.act('insert-old', 2, 2, false);
        SELECT public.act('insert-new', 3, 3, true);
        COMMIT;
        SELECT public.act('insert-new', 4, 6, false);
        SELECT public.act('old', 4, 7, false);
        """, purpose: "truncate among writes")
      process = try ledger.start()
      try ledger.awaitStream(process)
      try awaitPair(ledger, 4, "CHARGE BACK", 7, process)
      try ledger.expectNoDifference(process)
      #expect(try session.query("SELECT count(*) FROM public.transactions", purpose: "count")[0, 0] == "3")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a trigger that fails on our writes alone stalls them and is named; mended, they go on by themselves")
    func failingTrigger() throws {
      let ledger = try LedgerFixture("both_trigger", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        """
        CREATE TABLE public.noted (id bigint);
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN INSERT INTO noted VALUES (NEW.id); RETURN NEW; END';
        CREATE TRIGGER note AFTER UPDATE ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.note();
        UPDATE public.transactions SET status = CASE status WHEN 'AUTH' THEN 'CAPTURED' ELSE 'AUTH' END WHERE id = 2;
        """, purpose: "make a trigger that relies on the search path")
      #expect(
        eventually(within: .seconds(30)) { process.output.contains("SQLSTATE 42P01") },
        "\(process.outputTail)")
      try session.script(
        "ALTER FUNCTION public.note() SET search_path = public", purpose: "mend the trigger")
      try ledger.awaitRow(
        "SELECT state_id = CASE status WHEN 'AUTH' THEN 1 ELSE 2 END FROM public.transactions WHERE id = 2",
        process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a row that goes and comes back with the new column alone, in one transaction, keeps what it came with")
    func cameBack() throws {
      let ledger = try LedgerFixture("both_came_back", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      try session.script(
        """
        ALTER TABLE public.transactions ALTER COLUMN status SET DEFAULT 'AUTH';
        UPDATE public.transactions SET status = 'Settled' WHERE id = 3;
        """, purpose: "prepare")
      try awaitPair(ledger, 3, "Settled", 3, process)
      try session.script(
        """
        DO $$
        DECLARE r public.transactions;
        BEGIN
          DELETE FROM public.ledger_audit;
          DELETE FROM public.transactions WHERE id = 3 RETURNING * INTO r;
          r.status := 'AUTH';
          INSERT INTO public.transactions SELECT r.*;
        END $$
        """, purpose: "go and come back")
      try awaitPair(ledger, 3, "Settled", 3, process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("back to the old column alone, forth again, to rest and from there back to both")
    func ways() throws {
      let ledger = try LedgerFixture("both_ways_back", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      func write(_ change: String, _ id: Int) throws {
        try session.script(
          "UPDATE public.transactions SET \(change) WHERE id = \(id)", purpose: "write")
      }
      /// A later change has been applied, so that what did not happen by then never will.
      func settle() throws {
        let before = try ledger.counted()
        try write("amount_cents = amount_cents + 1", 10)
        try ledger.awaitRow("SELECT sum(count) > \(before) FROM crossfade.legacy", process)
      }
      try write("status = 'AUTH', state_id = 1", 1)
      try write("state_id = 5", 1)
      try awaitPair(ledger, 1, "reversed", 5, process)

      try ledger.turn(to: "forward", process)
      try write("status = 'EXPIRED'", 1)
      try awaitPair(ledger, 1, "EXPIRED", 8, process)
      try write("state_id = 5", 1)
      try awaitPair(ledger, 1, "EXPIRED", 8, process)

      try ledger.turn(to: "both", process)
      try write("state_id = 6", 1)
      try awaitPair(ledger, 1, "REFUNDED", 6, process)

      try ledger.turn(to: "rest", process)
      try write("state_id = 5", 1)
      try settle()
      #expect(try pair(ledger, 1) == "REFUNDED 5")

      try ledger.turn(to: "both", process)
      // What nobody derived at rest is not guessed at: whichever column is written next decides.
      try settle()
      #expect(try pair(ledger, 1) == "REFUNDED 5")
      try write("state_id = 4", 1)
      try awaitPair(ledger, 1, "DECLINED", 4, process)
      try write("status = 'AUTH'", 1)
      try awaitPair(ledger, 1, "AUTH", 1, process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "`quarantine retry` releases what agrees and writes nothing; `replay --diff` asks for agreement alone")
    func commands() throws {
      let ledger = try LedgerFixture("both_commands", rows: 10)
      let process = try ledger.startBothWays()
      let session = try ledger.connect()
      for pair in ["'AUTH', 1", "'CAPTURED', 3"] {
        try session.script(
          "UPDATE public.transactions SET (status, state_id) = (\(pair)) WHERE id IN (1, 2)",
          purpose: "contradict")
      }
      try ledger.awaitRow("SELECT count(*) = 2 FROM crossfade.quarantine", process)
      // The new column alone was written: the log's status is not the row's any more, and that is right.
      try session.script("UPDATE public.transactions SET state_id = 7 WHERE id = 3", purpose: "write")
      try awaitPair(ledger, 3, "CHARGE BACK", 7, process)
      let diff = try ledger.command("replay", ["--from", "earliest", "--diff"])
      #expect(diff.status == .exited(1), "\(diff.output)")
      #expect(diff.output.contains("[\"1\"]") && !diff.output.contains("[\"3\"]"), "\(diff.output)")

      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try session.script("UPDATE public.transactions SET state_id = 2 WHERE id = 1", purpose: "agree")
      let retry = try ChildProcess.run(
        [CrossfadeBinary.path(), "quarantine", "retry", ledger.slotFile],
        environment: ["CROSSFADE_SOURCE": ledger.conninfo, "CROSSFADE_LOG": ledger.logDirectory])
      #expect(retry.status == .exited(1))
      #expect(
        retry.output == """
          2 rows tried: 1 released, 1 remain
          nothing was derived, since both columns are written: let the application write the column it means, \
          in each row that remains

          """, "\(retry.output)")
      #expect(try pair(ledger, 1) == "CAPTURED 2")
      #expect(try pair(ledger, 2) == "CAPTURED 3")
    }
  }
}
