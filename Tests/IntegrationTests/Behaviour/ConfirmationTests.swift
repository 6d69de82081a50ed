import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// What the slot is told, and when.
  @Suite("Confirmation", .timeLimit(.minutes(5))) struct ConfirmationTests {
    private func confirmed(_ ledger: LedgerFixture, _ session: Connection) throws(PostgresError) -> LSN {
      try ReplicationSlot.find(ledger.slot, on: session)?.confirmedFlushLSN ?? .invalid
    }

    private func current(_ session: Connection) throws -> LSN {
      try session.query("SELECT pg_current_wal_flush_lsn()", purpose: "ask")[0].flatMap { LSN($0) }
        ?? .invalid
    }

    @Test("an idle table holds no WAL back while others are written")
    func idle() throws {
      let ledger = try LedgerFixture("idle", rows: 10)
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      try session.script("CREATE TABLE public.others (id int)", purpose: "make another table")
      for _ in 0..<3 {
        try session.script("INSERT INTO public.others SELECT generate_series(1, 5000)", purpose: "write")
        let written = try current(session)
        let follows = try eventually(within: .seconds(10)) { () throws(PostgresError) -> Bool in
          try confirmed(ledger, session) >= written
        }
        #expect(follows, "\(process.outputTail)")
      }
      #expect(process.stop() == .exited(0))
    }

    @Test("an orderly end confirms all there was: the next stream has nothing to send")
    func nothingLeft() throws {
      let ledger = try LedgerFixture("nothing_left", rows: 10)
      let process = try ledger.expandAndStart()
      for _ in 0..<5 { try ledger.awaitCaughtUp(process) }
      let session = try ledger.connect()
      // Our own last write comes back, too, once the server has flushed it: it commits with synchronous_commit off.
      let written = try session.query("SELECT pg_current_wal_insert_lsn()", purpose: "ask")[0]
      let last = try #require(written.flatMap { LSN($0) })
      let follows = try eventually(within: .seconds(20)) { () throws(PostgresError) -> Bool in
        try confirmed(ledger, session) >= last
      }
      #expect(follows, "\(process.outputTail)")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      #expect(process.output.contains("stopped in order"))
      let log = try LoggedHistory(directory: ledger.logDirectory)
      #expect(try confirmed(ledger, session) >= #require(log.transactions.last?.commitEnd))
      let left = try session.query(
        """
        SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1::text::name, NULL, NULL,
          'proto_version', '1', 'publication_names', $1::text) WHERE get_byte(data, 0) <> ALL (ARRAY[66, 67, 79])
        """, [.text(ledger.slot)], purpose: "peek")
      #expect(left[0] == "0")
      #expect(log.transactions.count == 5)
    }

    @Test("with confirm: applied nothing is confirmed that a held-up dual-write has not committed")
    func applied() throws {
      let ledger = try LedgerFixture("confirm_applied", rows: 10) { $0.confirm = "applied" }
      let process = try ledger.expandAndStart()
      let id = try ledger.awaitCaughtUp(process)
      let (session, holder) = (try ledger.connect(), try ledger.connect())
      let before = try confirmed(ledger, session)
      try holder.script(
        "BEGIN; SELECT FROM public.transactions WHERE id = \(id) FOR UPDATE", purpose: "hold a row")
      let blocked = try ledger.connect()
      try holder.script(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = \(id); COMMIT;"
          + "BEGIN; SELECT FROM public.transactions WHERE id = \(id) FOR UPDATE", purpose: "move and hold on")
      let written = try current(blocked)
      // The dual-write waits for the row's lock, with a lock_timeout of 2 s, and tries again.
      try ledger.awaitRow(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'crossfade dual-write \(ledger.slot)' "
          + "AND wait_event_type = 'Lock'", process)
      let isLogged = eventually(within: .seconds(20)) {
        (try? LoggedHistory(directory: ledger.logDirectory))?.transactions.count == 2
      }
      #expect(isLogged)
      #expect(try confirmed(ledger, session) < written)
      #expect(try confirmed(ledger, session) >= before)
      try holder.script("ROLLBACK", purpose: "let go")
      try ledger.awaitRow("SELECT state_id = 2 FROM public.transactions WHERE id = \(id)", process)
      let follows = try eventually(within: .seconds(15)) { () throws(PostgresError) -> Bool in
        try confirmed(ledger, session) >= written
      }
      #expect(follows)
      #expect(process.stop() == .exited(0))
    }
  }
}
