import Glibc
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
      let holder = try ledger.connect()

      // It cannot be at the row between the two.
      kill(process.pid, SIGSTOP)
      try writer.query("UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 1", purpose: "change")
      try holder.script("BEGIN; SELECT FROM public.transactions WHERE id = 1 FOR UPDATE", purpose: "hold it")
      kill(process.pid, SIGCONT)
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
      let holder = try ledger.connect()
      kill(process.pid, SIGSTOP)
      try writer.query("UPDATE public.transactions SET status = 'CAPTURED' WHERE id = 1", purpose: "change")
      try holder.script("BEGIN; DELETE FROM public.transactions WHERE id = 1", purpose: "hold it")
      kill(process.pid, SIGCONT)
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
