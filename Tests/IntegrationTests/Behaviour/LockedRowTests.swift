import Foundation
import LocalCluster
import Postgres
import Synchronization
import Testing

extension Integration {
  /// An application that keeps a row locked which the dual-write has yet to write.
  @Suite("A row is kept locked", .timeLimit(.minutes(10))) struct LockedRowTests {
    enum Way: CaseIterable { case forward, both }

    /// How the lock is let go, and whether the process was killed meanwhile.
    static let endings = [("ROLLBACK", false), ("COMMIT", false), ("ROLLBACK", true)]

    @Test(
      "the other rows go on, the checkpoint waits and says for whom; the row follows when it is let go",
      arguments: Way.allCases, endings)
    func otherRowsGoOn(way: Way, ending: (String, Bool)) throws {
      let ledger = try LedgerFixture("locked_\(way)_\(ending.0.lowercased())_\(ending.1)", rows: 40)
      var process = way == .both ? try ledger.startBothWays() : try ledger.expandAndStart()
      if way == .forward { try ledger.backfill() }
      try ledger.awaitCaughtUp(process)
      let writer = try ledger.connect()
      let holder = try hold(1, ledger, process)
      let before = try checkpoint(ledger)
      for round in 0..<5 {
        for id in 2...20 {
          try writer.query(
            "UPDATE public.transactions SET status = $2 WHERE id = $1",
            [.integer(id), .text(round % 2 == 0 ? "CAPTURED" : "REFUNDED")], purpose: "change")
        }
        try ledger.awaitRow(Self.agrees("t.id BETWEEN 2 AND 20"), process, within: .seconds(20))
      }
      #expect(try checkpoint(ledger) == before)
      #expect(try !holder.query(Self.agrees("t.id = 1"), purpose: "ask").boolean(0, 0))
      let pid = try holder.query("SELECT pg_backend_pid()", purpose: "ask")[0, 0] ?? ""
      let says = try eventually(within: .seconds(20)) {
        let status = try ledger.command("status").output
        return status.contains(#"waiting for the row with key ["1"], which pid \#(pid) ("#)
          && status.contains("other rows go on, the checkpoint does not")
      }
      #expect(says)

      if ending.1 {
        process.kill()
        process = try ledger.start()
        try ledger.awaitStream(process)
      }
      try holder.script(
        ending.0 == "COMMIT"
          ? "UPDATE public.transactions SET status = 'REFUNDED' WHERE id = 1; COMMIT" : ending.0,
        purpose: "let go")
      try ledger.awaitRow(Self.agrees("true"), process)
      try ledger.awaitCaughtUp(process)
      let moved = try eventually(within: .seconds(20)) { try checkpoint(ledger) != before }
      #expect(moved)
      let forgotten = try eventually(within: .seconds(20)) {
        try !ledger.command("status").output.contains("keeps locked")
      }
      #expect(forgotten)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("a turn of the direction waits for the row; a row that is deleted by its holder is no obstacle")
    func turn() throws {
      let ledger = try LedgerFixture("locked_turn", rows: 40)
      let process = try ledger.startBothWays()
      let writer = try ledger.connect()
      let holder = try hold(1, ledger, process, "DELETE FROM public.transactions WHERE id = 1")
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'crossfade dual-write \(ledger.slot)'",
        process)
      let says = try eventually(within: .seconds(20)) {
        try ledger.command("status").output.contains("keeps locked")
      }
      #expect(says)
      try writer.query(
        "UPDATE crossfade.direction SET asked = 'forward', asked_lsn = pg_current_wal_insert_lsn()",
        purpose: "ask")
      usleep(1_500_000)
      #expect(
        try writer.query("SELECT standing FROM crossfade.direction", purpose: "ask")[0, 0] == "both")
      try holder.script("COMMIT", purpose: "let go")
      try ledger.awaitRow("SELECT standing = 'forward' FROM crossfade.direction", process)
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a row that many short transactions lock, one right after the other, is written all the same",
      arguments: Way.allCases)
    func hotRow(way: Way) async throws {
      let ledger = try LedgerFixture("locked_hot_\(way)", rows: 40)
      let process = way == .both ? try ledger.startBothWays() : try ledger.expandAndStart()
      if way == .forward { try ledger.backfill() }
      try ledger.awaitCaughtUp(process)
      let ended = Mutex(false)
      defer { ended.withLock { $0 = true } }
      // Ten stand in the queue, and each keeps the row for as long as it took to come to it.
      let holders = (0..<10).map { _ in
        Worker<Int> { [conninfo = ledger.conninfo] in
          guard let session = try? Connection(conninfo, options: .init(applicationName: "hot")) else {
            return 0
          }
          var count = 0
          while !ended.withLock({ $0 }) {
            let sql =
              "BEGIN; SELECT FROM public.transactions WHERE id = 1 FOR UPDATE; SELECT pg_sleep(0.015); COMMIT"
            guard (try? session.script(sql, purpose: "hold it")) != nil else { return count }
            count += 1
          }
          return count
        }
      }
      try ledger.awaitRow("SELECT count(*) > 5 FROM pg_stat_activity WHERE wait_event_type = 'Lock'", process)
      try ledger.connect().query(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 1", purpose: "change")
      try ledger.awaitRow(Self.agrees("t.id = 1"), process, within: .seconds(60))
      ended.withLock { $0 = true }
      for holder in holders { #expect(await holder.value > 0) }
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("a role with grants of columns only goes on, and names nobody")
    func columnGrants() throws {
      let ledger = try LedgerFixture("locked_grants", rows: 40, user: "cf_locked_grants")
      try ledger.expand()
      try ledger.makePlainRole()
      try ledger.connect().script(
        """
        REVOKE SELECT ON public.transactions FROM cf_locked_grants;
        GRANT SELECT (id, status, state_id) ON public.transactions TO cf_locked_grants
        """, purpose: "grant columns")
      let process = try ledger.start()
      try ledger.awaitStream(process)
      try ledger.awaitCaughtUp(process)
      let holder = try hold(1, ledger, process)
      try ledger.connect().query(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 2", purpose: "change")
      try ledger.awaitRow(Self.agrees("t.id = 2"), process)
      let says = eventually(within: .seconds(20)) {
        (try? String(contentsOfFile: ledger.logDirectory + "/status.json", encoding: .utf8))?
          .contains("which another session keeps locked") == true
      }
      #expect(says)
      try holder.script("ROLLBACK", purpose: "let go")
      try ledger.awaitRow(Self.agrees("t.id < 3"), process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("where the new column is in a unique index, a foreign key's check is a lock that counts")
    func uniqueIndex() throws {
      let ledger = try LedgerFixture("locked_unique", rows: 40)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      try ledger.connect().script(
        """
        CREATE UNIQUE INDEX ON public.transactions (id, state_id);
        CREATE TABLE public.child (id bigint REFERENCES public.transactions);
        """, purpose: "add an index")
      // What locks a row is asked of the catalog when a session begins.
      try endSession(ledger)
      try ledger.awaitCaughtUp(process)
      let holder = try hold(1, ledger, process, "INSERT INTO public.child VALUES (1)")
      try ledger.connect().query(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 2", purpose: "change")
      try ledger.awaitRow(Self.agrees("t.id = 2"), process)
      try holder.script("COMMIT", purpose: "let go")
      try ledger.awaitRow(Self.agrees("t.id < 3"), process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test("at rest a lock that is not had is waited for")
    func atRest() throws {
      let ledger = try LedgerFixture("locked_rest", rows: 40)
      let process = try ledger.startBothWays()
      try ledger.turn(to: "rest", process)
      let holder = try ledger.connect()
      try holder.script("BEGIN; SELECT FROM crossfade.checkpoint FOR UPDATE", purpose: "hold it")
      let before = try checkpoint(ledger)
      try ledger.connect().query(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 2", purpose: "change")
      let retries = try eventually(within: .seconds(20)) {
        try ledger.command("status").output.contains("the dual-write is retrying")
      }
      #expect(retries)
      try holder.script("COMMIT", purpose: "let go")
      let moved = try eventually(within: .seconds(20)) { try checkpoint(ledger) != before }
      #expect(moved)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "thousands of rows at once: the others go on, the status forgets a row whose holder and session went")
    func many() throws {
      let ledger = try LedgerFixture("locked_many", rows: 6_000)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      try ledger.awaitCaughtUp(process)
      kill(process.pid, SIGSTOP)
      let writer = try ledger.connect()
      try writer.query(
        "UPDATE public.transactions SET status = 'REFUNDED' WHERE id <= 5000", purpose: "change")
      let holder = try ledger.connect()
      try holder.script(
        "BEGIN; SELECT FROM public.transactions WHERE id <= 5000 FOR UPDATE", purpose: "hold them")
      kill(process.pid, SIGCONT)
      for id in 5_001...5_020 {
        try writer.query(
          "UPDATE public.transactions SET status = 'REFUNDED' WHERE id = $1", [.integer(id)],
          purpose: "change")
        try ledger.awaitRow(Self.agrees("t.id > 5000"), process)
      }
      try ledger.awaitRow(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'crossfade dual-write \(ledger.slot)'",
        process)
      let says = try eventually(within: .seconds(20)) {
        try ledger.command("status").output.contains(" rows, one with key")
      }
      #expect(says)
      try holder.script("ROLLBACK", purpose: "let go")
      try endSession(ledger)
      try ledger.awaitRow(Self.agrees("true"), process, within: .seconds(60))
      let forgotten = try eventually(within: .seconds(20)) {
        try !ledger.command("status").output.contains("keeps locked")
      }
      #expect(forgotten)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    /// A session that keeps a row which the dual-write has yet to write.
    private func hold(
      _ id: Int, _ ledger: LedgerFixture, _ process: CrossfadeProcess, _ how: String? = nil
    ) throws -> Connection {
      let holder = try ledger.connect()
      // It cannot be at the row between the two.
      kill(process.pid, SIGSTOP)
      try ledger.connect().query(
        "UPDATE public.transactions SET status = 'CAPTURED' WHERE id = $1", [.integer(id)], purpose: "change")
      try holder.script(
        "BEGIN; " + (how ?? "SELECT FROM public.transactions WHERE id = \(id) FOR UPDATE"), purpose: "hold it"
      )
      kill(process.pid, SIGCONT)
      return holder
    }

    /// The dual-write begins another.
    private func endSession(_ ledger: LedgerFixture) throws {
      try ledger.connect().query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossfade dual-write \(ledger.slot)'",
        purpose: "end its session")
    }

    private func checkpoint(_ ledger: LedgerFixture) throws -> String? {
      try ledger.connect().query(
        "SELECT end_lsn FROM crossfade.checkpoint WHERE slot = $1", [.text(ledger.slot)], purpose: "ask")[
          0, 0]
    }

    /// Whether the rows agree.
    private static func agrees(_ rows: String) -> String {
      """
      SELECT count(*) = 0 FROM public.transactions AS t
         LEFT JOIN public.transaction_state AS m ON m.legacy_status = t.status
        WHERE (m.id IS NULL OR t.state_id IS DISTINCT FROM m.id) AND (\(rows))
      """
    }
  }
}
