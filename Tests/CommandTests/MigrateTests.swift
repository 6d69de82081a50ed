import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade expand, constrain, rollback and audit", .serialized) struct Migrate {
    /// Without what differs from run to run.
    private func plain(_ text: String) -> String {
      text.replacing(#/\d+ ms/#, with: "N ms").replacing(#/[^ ]*/slot\.yaml/#, with: "slot.yaml")
        .replacing(#/; took [^)]*/#, with: "").replacing(#/ \(took [^)]*\)/#, with: "")
    }

    @Test("the whole course, as it is printed")
    func course() throws {
      let slot = try LedgerSlot("migrate_course")
      let expand = try slot.crossfade("expand")
      #expect(expand.status == .exited(0))
      #expect(
        plain(expand.output) == """
          done   make schema crossfade and its tables
          done   make map table public.transaction_state
          done   add 8 states to public.transaction_state (lock: 1 attempt, N ms)
          done   add nullable column state_id to public.transactions (lock: 1 attempt, N ms)
          expanded; next: crossfade run slot.yaml

          """)
      #expect(try slot.crossfade("expand").output.hasSuffix("nothing to do: all is there\n"))
      let early = try slot.crossfade("constrain")
      #expect(early.status == .exited(3))
      #expect(
        early.output == """
          crossfade: the backfill of slot migrate_course has not begun
            hint: run `crossfade backfill SLOT` to its end first: index and foreign key would make it slower

          """)
      try slot.start()
      #expect(try slot.crossfade("backfill").status == .exited(0))
      let constrain = try slot.crossfade("constrain")
      #expect(
        plain(constrain.output) == """
          done   build an index on public.transactions(state_id), concurrently
          done   add foreign key public.transactions(state_id) to public.transaction_state, for new rows (lock: 1 attempt, N ms)
          done   validate the foreign key of public.transactions, for the rows that were there
          done; next: crossfade verify slot.yaml

          """)
      let beside = try slot.crossfade("rollback", more: ["--yes-drop", "public.transactions.state_id"])
      #expect(beside.status == .exited(3))
      #expect(
        beside.output.hasPrefix(
          "crossfade: `crossfade run` is at work: crossfade dual-write migrate_course, server process "),
        "\(beside.output)")
      try slot.stop()
      try rollback(slot)
      let again = try slot.crossfade("expand")
      #expect(again.status == .exited(0), "\(again.output)")
    }

    private func rollback(_ slot: LedgerSlot) throws {
      let would = try slot.crossfade("rollback")
      #expect(would.status == .exited(3))
      #expect(
        would.output.hasPrefix("slot migrate_course is backfilled; to be undone:\n  1  rename "),
        "\(would.output)")
      #expect(
        would.output.hasSuffix(
          """
            5  DROP PUBLICATION "migrate_course"; DELETE FROM crossfade.quarantine WHERE slot = 'migrate_course'
            6  ALTER TABLE "public"."transactions" DROP CONSTRAINT "transactions_state_id_fkey"
            7  DROP INDEX CONCURRENTLY "public"."transactions_state_id_idx"
            8  ALTER TABLE "public"."transactions" DROP COLUMN "state_id"
            9  DELETE FROM "public"."transaction_state" WHERE "id" IN ('1', '2', '3', '4', '5', '6', '7', '8')
            10  DROP TABLE "public"."transaction_state"
          keeps: schema crossfade stays: it holds the audit trail
          loses: the values of public.transactions.state_id: each is derived from status, and can be again
          nothing was done: to do it, add --yes-drop public.transactions.state_id

          """), "\(would.output)")
      let other = try slot.crossfade("rollback", more: ["--yes-drop", "public.transactions.status"])
      #expect(other.status == .exited(3))
      #expect(
        other.output.hasSuffix(
          """
          crossfade: --yes-drop names public.transactions.status, and what goes is public.transactions.state_id
            hint: nothing was done; name the column that goes

          """), "\(other.output)")
      let done = try slot.crossfade(
        "rollback", more: ["--yes-drop", "public.transactions.state_id", "--json"])
      #expect(done.status == .exited(0), "\(done.output)")
      let report = try object(done)
      #expect(report["done"] as? Bool == true)
      #expect(
        try slot.sql(
          "SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'migrate_course') + (SELECT count(*) FROM pg_publication) "
            + "+ (SELECT count(*) FROM pg_attribute WHERE attname = 'state_id' AND attrelid = 'transactions'::regclass)"
        ) == "0")
      #expect(!FileManager.default.fileExists(atPath: slot.log))
      #expect(
        try slot.crossfade("rollback").output
          == "nothing to roll back: nothing of slot migrate_course is there\n")
    }

    @Test("the audit trail is printed, verified, and one row changed is named")
    func audit() throws {
      let slot = try LedgerSlot("migrate_audit")
      let none = try slot.crossfade("audit")
      #expect(none.status == .exited(66))
      #expect(none.output.hasPrefix("crossfade: slot migrate_audit has no audit trail yet"))
      try #require(try slot.crossfade("expand").status == .exited(0))
      let whole = try slot.crossfade("audit", more: ["--verify"])
      #expect(whole.status == .exited(0))
      #expect(whole.output.contains("  done  expand.column  lock "), "\(whole.output)")
      #expect(whole.output.contains("\nholds: 5 rows, ending with "), "\(whole.output)")
      let json = try object(slot.crossfade("audit", more: ["--json", "--verify"]))
      #expect(json["holds"] as? Bool == true)
      #expect((json["rows"] as? [[String: Any]])?.count == 5)
      try slot.sql("UPDATE crossfade.audit SET at = at - interval '1 day' WHERE seq = 2")
      let broken = try slot.crossfade("audit", more: ["--verify"])
      #expect(broken.status == .exited(1))
      #expect(
        broken.output.hasSuffix(
          "BROKEN: row 2 was changed: its hash is not that of its content\ndoes not hold: 1 fault\n"),
        "\(broken.output)")
      #expect(try slot.crossfade("audit").status == .exited(0))
    }

    @Test(
      "two at once: the second is refused with the first one's name; what waits says for whom; --json tells it all"
    )
    func busy() throws {
      let slot = try LedgerSlot("migrate_busy")
      let holder = try slot.connect()
      try holder.script("BEGIN; SELECT count(*) FROM transactions", purpose: "hold the lock")
      let errors = slot.directory + "/expand.err"
      let first = try ChildProcess(
        [try CrossfadeBinary.path(), "expand", slot.path, "--json"], environment: slot.environment,
        output: .file(slot.directory + "/expand.out"), errors: .file(errors))
      defer { first.stop(SIGKILL) }
      let waits = eventually(within: .seconds(20)) {
        (try? String(contentsOfFile: errors, encoding: .utf8))?.contains(
          "held by pid \(holder.backendPID) (command test, idle in transaction, transaction open for ")
          == true
      }
      #expect(waits, "\((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
      let second = try slot.crossfade("expand")
      #expect(second.status == .exited(3))
      #expect(
        second.output.hasPrefix(
          "crossfade: the migration of slot migrate_busy is being worked on: crossfade expand migrate_busy (lock), server process "
        ),
        "\(second.output)")
      try holder.script("COMMIT", purpose: "let go")
      #expect(first.wait(for: .seconds(20)) == .exited(0))
      let text = try String(contentsOfFile: slot.directory + "/expand.out", encoding: .utf8)
      let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      #expect(report["phase"] as? String == "expanded")
      let steps = try #require(report["steps"] as? [[String: Any]])
      #expect(
        steps.map { $0["step"] as? String } == [
          "expand.schema", "expand.map", "expand.states", "expand.column",
        ])
      let blockers = try #require(steps[3]["blockers"] as? [[String: Any]])
      #expect(blockers.first?["pid"] as? Int == Int(holder.backendPID))
    }
  }
}
