import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade cutover", .serialized) struct Cutover {
    private static let column = "public.transactions.state_id"

    /// Verified, with `run` at work.
    private func verified(_ name: String, more: String = "", before: String = "SELECT 1") throws -> LedgerSlot
    {
      let slot = try LedgerSlot(name, more: more)
      try slot.sql(before)
      try done(slot, "expand")
      try slot.start()
      for command in ["backfill", "constrain", "verify"] { try done(slot, command) }
      return slot
    }

    private func done(_ slot: LedgerSlot, _ command: String...) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(command): \(run.output)")
    }

    /// Identity, columns of the publication, whether status must be given, the share of the reads, standing, phase.
    private func standing(_ slot: LedgerSlot) throws -> String {
      let list =
        slot.hasColumnLists
        ? "(SELECT coalesce(array_length(prattrs::int2[], 1)::text, 'all') FROM pg_publication_rel WHERE prrelid = 'transactions'::regclass)"
        : "'all'"
      return try slot.sql(
        """
        SELECT concat_ws(' ', (SELECT relreplident FROM pg_class WHERE oid = 'transactions'::regclass), \(list),
          (SELECT CASE WHEN attnotnull AND NOT atthasdef THEN 'required' ELSE 'free' END FROM pg_attribute
            WHERE attrelid = 'transactions'::regclass AND attname = 'status'),
          coalesce((SELECT percent FROM crossfade.reads WHERE slot = '\(slot.name)'), 0),
          coalesce((SELECT standing FROM crossfade.direction WHERE slot = '\(slot.name)'), 'forward'),
          (SELECT phase FROM crossfade.migration WHERE slot = '\(slot.name)'))
        """) ?? ""
    }

    private static let required =
      "ALTER TABLE transactions ALTER status DROP DEFAULT, ALTER status SET NOT NULL"
    private func before(_ slot: LedgerSlot) -> String { slot.hasColumnLists ? "d 3" : "d all" }

    @Test("forth by parts, back at once, forth again, and back to the old column alone")
    func course() throws {
      let slot = try verified("cutover_course", before: Self.required)
      #expect(try standing(slot) == "\(before(slot)) required 0 forward verified")
      let plan = try object(slot.crossfade("plan", more: ["--json"]))
      let stands = try #require(plan["steps"] as? [[String: Any]]).filter { $0["done"] as? Bool == true }
      #expect(
        stands.compactMap { $0["id"] as? String }.suffix(2) == ["backfill.validate", "verify.whole"],
        "\(stands)")
      let look = try slot.crossfade("cutover", more: ["--dry-run"])
      #expect(look.status == .exited(0), "\(look.output)")
      #expect(
        look.output.hasPrefix(
          "slot cutover_course is verified, 0 % of reads use state_id; the dual-write's direction is forward\n\npass  phase  "
        ),
        "\(look.output)")
      let unnamed = try slot.crossfade("cutover")
      #expect(unnamed.status == .exited(3))
      #expect(
        unnamed.output.hasSuffix("nothing was done: to do it, add --confirm \(Self.column)\n"),
        "\(unnamed.output)")
      let other = try slot.crossfade("cutover", more: ["--confirm", "public.transactions.status"])
      #expect(other.status == .exited(3))
      #expect(try standing(slot) == "\(before(slot)) required 0 forward verified")

      try done(slot, "cutover", "--percent", "10", "--confirm", Self.column)
      #expect(try standing(slot) == "f all free 10 both verified")
      try done(slot, "cutover", "--percent", "100", "--confirm", Self.column)
      #expect(try standing(slot) == "f all free 100 both cut over")
      #expect(try slot.sql("SELECT crossfade.reads_new('cutover_course')") == "t")
      let status = try object(slot.crossfade("status", more: ["--json"]))
      #expect((status["reads"] as? [String: Any])?["percent"] as? Int == 100)
      let again = try slot.crossfade("cutover", more: ["--confirm", Self.column])
      #expect(again.status == .exited(0))
      #expect(again.output == "nothing to do: it stands\n")
      // A smaller share needs no word.
      try done(slot, "cutover", "--percent", "40")
      #expect(try standing(slot) == "f all free 40 both verified")
      try done(slot, "cutover", "--back")
      #expect(try standing(slot) == "f all free 0 both verified")
      #expect(try slot.crossfade("cutover", more: ["--back"]).output == "nothing to do: it stands\n")
      try done(slot, "cutover", "--confirm", Self.column)
      #expect(try standing(slot) == "f all free 100 both cut over")
      try done(slot, "cutover", "--back", "--forward-only", "--confirm", "public.transactions.status")
      #expect(try standing(slot) == "\(before(slot)) required 0 forward verified")
      #expect(
        try slot.sql(
          "SELECT count(*) FROM pg_constraint WHERE conrelid = 'transactions'::regclass AND contype = 'c'")
          == "0")
      // And all of it once more.
      try done(slot, "cutover", "--confirm", Self.column)
      #expect(try standing(slot) == "f all free 100 both cut over")
      try done(slot, "audit", "--verify")
    }

    @Test("without `run` nothing turns; --back refuses then, unless it is forced")
    func noRun() throws {
      let slot = try verified("cutover_norun")
      try done(slot, "cutover", "--confirm", Self.column)
      try slot.stop()
      let back = try slot.crossfade("cutover", more: ["--back"])
      #expect(back.status == .exited(3))
      #expect(
        back.output == """
          crossfade: `crossfade run` is not at work: status lacks what was written to state_id alone since it ended
            hint: start it, then run this again; or give --force, and readers see that only once it runs again

          """)
      try done(slot, "cutover", "--back", "--force")
      let look = try slot.crossfade("cutover", more: ["--dry-run", "--json", "--wait", "300ms"])
      #expect(look.status == .exited(3))
      let gates = try #require(try object(look)["gates"] as? [[String: Any]])
      #expect(
        gates.filter { $0["passes"] as? Bool == false }.map { $0["gate"] as? String } == [
          "run", "lag", "verification", "slot",
        ]
          || gates.filter { $0["passes"] as? Bool == false }.map { $0["gate"] as? String } == [
            "run", "slot",
          ],
        "\(look.output)")
    }

    @Test(
      "killed right before and right after each commit, it goes on; and so does the way back",
      arguments: ["step-before-commit", "step-after-commit"])
    func killed(_ point: String) throws {
      let slot = try verified("cutover_\(point.replacing("-", with: "_"))", before: Self.required)
      let forth = ["cutover", "--confirm", Self.column]
      let back = ["cutover", "--back", "--forward-only", "--confirm", "public.transactions.status"]
      let start = "\(before(slot)) required 0 forward"
      // Publication, identity, direction, NOT NULL, reads; and: reads, check, validation, NOT NULL, direction, identity, publication.
      let lists = slot.hasColumnLists ? 1 : 0
      for pass in 1...(4 + lists) {
        let killed = try kill(slot, forth, at: point, pass: pass)
        #expect(killed.status == .signalled(SIGKILL), "forth \(pass): \(killed.output)")
        if pass.isMultiple(of: 2) {
          try run(slot, back, "back after \(pass)")
          #expect(try standing(slot).hasPrefix(start), "back after \(pass)")
        }
        try run(slot, forth, "forth after \(pass)")
        #expect(try standing(slot) == "f all free 100 both cut over", "forth after \(pass)")
        try run(slot, back, "back \(pass)")
        #expect(try standing(slot).hasPrefix(start), "back \(pass)")
      }
      for pass in 1...(6 + lists) {
        try run(slot, forth, "forth before \(pass)")
        let killed = try kill(slot, back, at: point, pass: pass)
        #expect(killed.status == .signalled(SIGKILL), "back \(pass): \(killed.output)")
        if pass.isMultiple(of: 2) { try run(slot, forth, "forth again after \(pass)") }
        try run(slot, back, "back again after \(pass)")
        #expect(try standing(slot).hasPrefix(start), "back again after \(pass)")
      }
      try done(slot, "audit", "--verify")
    }

    private func run(_ slot: LedgerSlot, _ command: [String], _ note: String) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(note): \(run.output)")
    }

    private func kill(_ slot: LedgerSlot, _ command: [String], at point: String, pass: Int) throws
      -> CapturedRun
    {
      var environment = slot.environment
      environment["CROSSFADE_FAIL_POINT"] = "\(point):\(pass)"
      return try ChildProcess.run(
        [try CrossfadeBinary.path(), command[0], slot.path] + command.dropFirst(), environment: environment,
        within: .seconds(60))
    }

    @Test("on a server each gate says what is wrong, by itself, and opens again once that is mended")
    func gates() throws {
      let slot = try verified("cutover_gates")
      /// The gates that do not hold after a change, which `mend` takes back.
      func expectClosed(_ expected: [String], _ change: String = "SELECT 1", mend: String = "SELECT 1") throws
      {
        try slot.sql(change)
        let look = try slot.crossfade("cutover", more: ["--dry-run", "--json", "--wait", "20s"])
        let gates = try #require(try object(look)["gates"] as? [[String: Any]], "\(look.output)")
        let names = gates.filter { $0["passes"] as? Bool != true }.map { $0["gate"] as? String ?? "" }
        #expect(names == expected, "\(change): \(look.output)")
        #expect(look.status == .exited(names.isEmpty ? 0 : 3))
        try slot.sql(mend)
      }
      try expectClosed([])
      for command in ["backfill", "replay"] {
        let deriver = try slot.connect()
        try deriver.query(
          "SELECT pg_advisory_lock(hashtext('crossfade \(command)'), hashtext($1))", [.text(slot.name)],
          purpose: "be at work")
        try expectClosed(["backfill"])
        try deriver.query("SELECT pg_advisory_unlock_all()", purpose: "be done")
      }
      try expectClosed([])
      // It is also a row that should not be there.
      try expectClosed(
        ["verification", "quarantine"],
        "INSERT INTO crossfade.quarantine (slot, key, status, reason) VALUES ('cutover_gates', '[\"1\"]', 'auth', 'x')",
        mend: "DELETE FROM crossfade.quarantine")
      try done(slot, "verify", "--restart")
      try expectClosed(
        ["phase"], "UPDATE crossfade.migration SET phase = 'expanded'",
        mend: "UPDATE crossfade.migration SET phase = 'backfilled'")
      // A key by any name will do.
      try expectClosed(
        [], "ALTER TABLE transactions RENAME CONSTRAINT transactions_state_id_fkey TO other",
        mend: "ALTER TABLE transactions RENAME CONSTRAINT other TO transactions_state_id_fkey")
      try expectClosed(
        ["index", "leftovers"],
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'transactions_state_id_idx'::regclass",
        mend: "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'transactions_state_id_idx'::regclass"
      )
      try expectClosed(
        ["foreign key"],
        "UPDATE pg_constraint SET convalidated = false WHERE conname = 'transactions_state_id_fkey'",
        mend: "UPDATE pg_constraint SET convalidated = true WHERE conname = 'transactions_state_id_fkey'")
      try expectClosed(
        ["lone writes"],
        "INSERT INTO crossfade.legacy (slot, day, kind, count, last_at, last_keys) "
          + "VALUES ('cutover_gates', now()::date, 'new', 1, now() - interval '5 min', '[[\"7\"]]')",
        mend: "DELETE FROM crossfade.legacy")
      if slot.hasColumnLists {
        try expectClosed(
          ["both ways"], "CREATE PUBLICATION analytics FOR TABLE transactions (id, status)",
          mend: "DROP PUBLICATION analytics")
      }
      // The map changed: what was verified by the old one does not count any more.
      try expectClosed(
        ["verification", "map", "statuses"], "UPDATE transaction_state SET legacy_status = 'x' WHERE id = 3",
        mend: "UPDATE transaction_state SET legacy_status = 'Settled' WHERE id = 3")
      try expectClosed(["verification"])
      try done(slot, "verify", "--restart")
      try expectClosed([])
      let watch = try ChildProcess(
        [try CrossfadeBinary.path(), "verify", slot.path, "--watch", "0.2"], environment: slot.environment,
        output: .file(slot.directory + "/watch.out"), errors: .file(slot.directory + "/watch.out"))
      defer { watch.stop(SIGTERM) }
      #expect(
        try slot.await(
          "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'crossfade verify cutover_gates'"
        ))
      try expectClosed([], "UPDATE transactions SET status = 'CAPTURED' WHERE id < 50")
    }

    @Test("a role that may not write the old column is told so, with the grant that mends it")
    func privileges() throws {
      let slot = try verified("cutover_grants")
      try slot.sql(
        """
        CREATE ROLE cutover_grants LOGIN REPLICATION;
        GRANT SELECT, UPDATE (state_id) ON transactions TO cutover_grants;
        GRANT SELECT ON transaction_state TO cutover_grants;
        GRANT USAGE ON SCHEMA crossfade TO cutover_grants;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO cutover_grants;
        """)
      slot.user = "cutover_grants"
      func gate() throws -> [String: Any]? {
        let look = try slot.crossfade("cutover", more: ["--dry-run", "--json", "--wait", "20s"])
        let gates = try #require(try object(look)["gates"] as? [[String: Any]], "\(look.output)")
        return gates.first { $0["gate"] as? String == "privileges" }
      }
      let closed = try #require(try gate())
      #expect(closed["passes"] as? Bool == false)
      #expect(closed["value"] as? String == "cutover_grants may not update status")
      try slot.sql(try #require(closed["mend"] as? String))
      #expect(try gate()?["passes"] as? Bool == true)
    }

    @Test("a rehearsal that the definition asks for, of this very plan")
    func rehearsal() throws {
      let slot = try verified("cutover_rehearsed", more: "migrate:\n  rehearsed: required\n")
      let refused = try slot.crossfade("cutover", more: ["--confirm", Self.column])
      #expect(refused.status == .exited(3))
      #expect(
        refused.output.contains("\n      mend:  crossfade rollback SLOT --rehearse\n"), "\(refused.output)")
      let hash = try #require(try object(slot.crossfade("plan", more: ["--json"]))["plan"] as? String)
      for (result, passes) in [("failed", false), ("passed", true)] {
        try slot.sql(
          "INSERT INTO crossfade.rehearsal (slot, plan_hash, tool_version, result) VALUES ('cutover_rehearsed', '\(hash)', '1', '\(result)')"
        )
        #expect(try slot.crossfade("cutover", more: ["--dry-run"]).status == .exited(passes ? 0 : 3))
      }
    }
  }
}
