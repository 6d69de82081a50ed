import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The publication lists columns, as it does beside a bridge: what comes of the old column's place in that list.
  @Suite(
    "A publication that lists columns", .timeLimit(.minutes(5)),
    .enabled(if: LedgerFixture.major >= 15, "before 15 no publication lists columns"))
  struct ListedColumnsTests {
    private static let (new, old) = ("public.transactions.state_id", "public.transactions.status")

    private func run(_ ledger: LedgerFixture, _ words: String...) throws {
      let run = try ledger.command(words[0], Array(words.dropFirst()), within: .seconds(60))
      try #require(run.status == .exited(0), "\(words): \(run.output)")
    }

    private func cutOver(_ name: String, before: String? = nil) throws -> (LedgerFixture, CrossfadeProcess) {
      let ledger = try LedgerFixture(name, rows: 50) {
        $0.migrate = ["quiet: 1s", "grace: 1s", "bridge: trigger"]
      }
      if let before { try ledger.connect().script(before, purpose: "prepare") }
      let process = try ledger.expandAndStart()
      for command in ["backfill", "constrain", "verify"] { try run(ledger, command) }
      try run(ledger, "cutover", "--confirm", Self.new)
      return (ledger, process)
    }

    private func contract(_ ledger: LedgerFixture, _ words: String...) throws {
      var last: CapturedRun?
      let isDone = try eventually(within: .seconds(60)) {
        last = try ledger.command("contract", words)
        return last?.status == .exited(0)
      }
      try #require(isDone, "\(last?.output ?? "")")
    }

    private func listed(_ ledger: LedgerFixture) throws -> String? {
      try ledger.connect().query(
        "SELECT attnames::text FROM pg_publication_tables WHERE pubname = $1", [.text(ledger.slot)],
        purpose: "ask what is listed")[0, 0]
    }

    @Test("what the drop took out of the list the way back puts in again, and the stream goes on")
    func wayBack() throws {
      let (ledger, process) = try cutOver("listed_back")
      #expect(try listed(ledger) == "{id,status,state_id}")
      try contract(ledger, "--confirm", Self.old)
      try contract(ledger, "--drop", "--confirm", Self.old + "_retired")
      #expect(try listed(ledger) == "{id,state_id}")
      let session = try ledger.connect()
      try session.script(
        "UPDATE public.transactions SET state_id = 3 WHERE id = 1", purpose: "write without it")
      try run(ledger, "rollback", "--confirm", Self.old)
      #expect(try listed(ledger) == "{id,state_id,status}")
      try session.script(
        """
        UPDATE public.transactions SET state_id = 4 WHERE id = 1;
        UPDATE public.transactions SET status = 'AUTH' WHERE id = 2;
        """, purpose: "write both ways")
      try ledger.awaitCaughtUp(process)
      let pairs = try session.query(
        "SELECT string_agg(id || ' ' || status || ' ' || state_id, ', ' ORDER BY id) FROM public.transactions WHERE id < 3",
        purpose: "ask")
      #expect(pairs[0, 0] == "1 DECLINED 4, 2 AUTH 1")
      try run(ledger, "verify", "--restart")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("a row that the bridge left out of step is in quarantine for the real reason")
    func reasons() throws {
      let (ledger, process) = try cutOver(
        "listed_reasons", before: "ALTER TABLE public.transactions ALTER status TYPE varchar(12)")
      let session = try ledger.connect()
      try session.script(
        """
        INSERT INTO public.transaction_state VALUES (90, 'disputed', 'DISPUTED BY HOLDER');
        UPDATE public.transactions SET (status, state_id) = ('AUTH', 1) WHERE id IN (1, 2);
        """, purpose: "prepare")
      try session.script(
        """
        UPDATE public.transactions SET state_id = 90 WHERE id = 1;
        UPDATE public.transactions SET (status, state_id) = ('CAPTURED', 3) WHERE id = 2;
        """, purpose: "write what the bridge cannot keep in step")
      try ledger.awaitRow(
        """
        SELECT string_agg(key->>0 || ' ' || reason, '; ' ORDER BY key) =
          '1 the bridge could not write the old text: value too long for type character varying(12) (SQLSTATE 22001); 2 the pair '
            || 'does not agree: one change wrote both columns and they contradict each other, or it was written past the bridge'
          FROM crossfade.quarantine
        """, process)
      try session.script(
        "UPDATE public.transaction_state SET legacy_status = 'DISPUTED' WHERE id = 90",
        purpose: "mend the map")
      try session.script(
        """
        UPDATE public.transactions SET status = 'DISPUTED' WHERE id = 1;
        UPDATE public.transactions SET state_id = 2 WHERE id = 2;
        """, purpose: "mend")
      try ledger.awaitRow("SELECT count(*) = 0 FROM crossfade.quarantine", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "changes that came without one of the columns do not end `run`: rows that agree need nobody, the others a human"
    )
    func unsent() throws {
      let (ledger, process) = try cutOver("listed_unsent")
      let session = try ledger.connect()
      func list(_ columns: String) throws {
        try session.script(
          "ALTER PUBLICATION \(ledger.slot) SET TABLE public.transactions (\(columns))", purpose: "list")
      }
      for (id, columns) in [(1, "id, state_id"), (11, "id, status")] {
        try list(columns)
        try session.script(
          """
          UPDATE public.transactions SET state_id = 3 WHERE id = \(id);
          SET session_replication_role = replica;  -- past the bridge
          UPDATE public.transactions SET (status, state_id) = ('AUTH', 4) WHERE id = \(id) + 1;
          UPDATE public.transactions SET (status, state_id) = ('AUTH', NULL) WHERE id = \(id) + 2;
          RESET session_replication_role;
          """, purpose: "write")
      }
      try list("id, status, state_id")
      let isQuarantined = { (keys: String) throws in
        try ledger.awaitRow(
          "SELECT coalesce(string_agg(key->>0, ' ' ORDER BY key->>0), '') = '\(keys)' FROM crossfade.quarantine",
          process)
      }
      // Of the thirteenth it is not known that nobody gave its new column a value.
      try isQuarantined("12 13 2")
      let list = try ChildProcess.run(
        [CrossfadeBinary.path(), "quarantine", "list", ledger.slotFile],
        environment: ["CROSSFADE_SOURCE": ledger.conninfo, "CROSSFADE_LOG": ledger.logDirectory])
      #expect(
        list.output.contains(
          "3 for a change that came without one of the columns: publish status and state_id (`crossfade check SLOT`"
        ), "\(list.output)")
      try session.script(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id IN (2, 12, 13)", purpose: "settle")
      try isQuarantined("")
      try ledger.awaitRow("SELECT state_id = 1 FROM public.transactions WHERE id = 3", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }
  }
}
