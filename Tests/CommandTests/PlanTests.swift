import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade plan", .serialized) struct Plan {
    /// What every hazard of the ledger's migration is accepted with.
    static let accept = """
      migrate:
        accept: [ACQUIRES_ACCESS_EXCLUSIVE_LOCK, ACQUIRES_SHARE_ROW_EXCLUSIVE_LOCK, INDEX_BUILD,
          IMPACTS_DATABASE_PERFORMANCE, HOT_REFERENCED_ROWS, CORRECTNESS, HAS_UNTRACKABLE_DEPENDENCIES, DELETES_DATA]

      """

    private func lines(_ run: CapturedRun, from first: String, to last: String) -> [String] {
      let all = run.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      guard let begin = all.firstIndex(where: { $0.hasPrefix(first) }) else { return [] }
      return Array(all[begin...].prefix { !$0.hasPrefix(last) })
    }

    @Test(
      "a step as it is shown: title, SQL, locks, limits, hazards, way back; lines fit, statements stay whole")
    func text() throws {
      let slot = try LedgerSlot("plan_text", rows: 500)
      try slot.sql("ANALYZE")
      let run = try slot.crossfade("plan")
      #expect(run.status == .exited(1), "\(run.output)")
      #expect(run.output.hasPrefix("public.transactions.status -> state_id\nslot plan_text, PostgreSQL "))
      #expect(run.output.contains("about 500 rows (the planner's estimate, analyzed "))
      #expect(
        lines(run, from: " 4  ", to: "Capture") == [
          " 4  expand.column: add nullable column state_id to public.transactions",
          #"      ALTER TABLE "public"."transactions" ADD COLUMN "state_id" bigint;"#,
          "      locks   ACCESS EXCLUSIVE on public.transactions; a moment",
          "      runs    in a transaction of its own, lock_timeout 100 ms to 2 s,",
          "              statement_timeout 10 s", "      hazard  ACQUIRES_ACCESS_EXCLUSIVE_LOCK",
          #"      back    ALTER TABLE "public"."transactions" DROP COLUMN "state_id";"#,
          "              its values are gone; each is derived from status, and can be again", "",
        ])
      #expect(
        lines(run, from: " 8  ", to: " 9  ") == [
          " 8  backfill.index: build an index on public.transactions(state_id),", "    concurrently",
          #"      CREATE INDEX CONCURRENTLY "transactions_state_id_idx" ON "public"."transactions" ("state_id");"#,
          "      locks   SHARE UPDATE EXCLUSIVE on public.transactions; while it reads the",
          "              table twice, and waits for every older transaction of the database",
          "              to end",
          "      runs    outside of a transaction, no lock_timeout, no statement_timeout",
          "      cost    less than a second: read twice at 1,200,000 rows/s (assumed:",
          "              measured elsewhere, docs/plan.md); waits for older transactions",
          "              come on top", "              3.4 KiB of WAL: the index, written whole",
          "              3.4 KiB of disk: 7 bytes a row: few values, each kept once for",
          "              many rows", "      hazard  INDEX_BUILD, IMPACTS_DATABASE_PERFORMANCE",
          #"      back    DROP INDEX CONCURRENTLY "public"."transactions_state_id_idx";"#,
        ])
      #expect(run.output.contains("\nNot ready: 8 hazards to accept\n"))
      let long = run.output.split(separator: "\n").filter { $0.count > 80 }.map(String.init)
      // Statements and commands stay whole, to be copied.
      let whole = ["      CREATE OR REPLACE FUNCTION ", "      crossfade "]
      let wrong = long.filter { line in
        !(line.contains(";") || line.contains("INSERT INTO") || line.contains("fix: ")
          || line.hasSuffix(" ...")
          || whole.contains { line.hasPrefix($0) })
      }
      #expect(wrong == [])
    }

    @Test("accepted hazards make it ready, expand keeps to the plan's hash, and what is done is told")
    func course() throws {
      let slot = try LedgerSlot("plan_course", more: Self.accept)
      let ready = try slot.crossfade("plan")
      #expect(ready.status == .exited(0), "\(ready.output)")
      let found = try object(try slot.crossfade("plan", more: ["--json"]))
      let hash = try #require(found["plan"] as? String)
      #expect(found["ready"] as? Bool == true)
      #expect(ready.output.contains("Next: crossfade expand \(slot.path) --plan \(hash.prefix(12))\n"))

      let other = try slot.crossfade("expand", more: ["--plan", "0123456789ab"])
      #expect(other.status == .exited(3), "\(other.output)")
      #expect(other.output.contains("the plan is now \(hash.prefix(12)), not 0123456789ab"))
      #expect(try slot.crossfade("expand", more: ["--plan", "0123"]).status == .exited(3))
      let expanded = try slot.crossfade("expand", more: ["--plan", hash])
      #expect(expanded.status == .exited(0), "\(expanded.output)")
      #expect(try slot.sql("SELECT plan_hash FROM crossfade.migration WHERE slot = 'plan_course'") == hash)

      let after = try object(try slot.crossfade("plan", more: ["--json"]))
      #expect(after["plan"] as? String == hash)
      let steps = try #require(after["steps"] as? [[String: Any]])
      #expect(
        steps.filter { $0["done"] as? Bool == true }.compactMap { $0["id"] as? String } == [
          "expand.schema", "expand.map", "expand.states", "expand.column",
        ])
      let shown = try slot.crossfade("plan")
      #expect(
        shown.output.contains(
          "\n 4  expand.column: add nullable column state_id to public.transactions - done\n"))
      #expect(shown.output.contains("\nNext: crossfade run \(slot.path)\n"))
    }

    @Test("a definition that accepts some hazards lets no others pass, plan or not")
    func gate() throws {
      let slot = try LedgerSlot("plan_gate", more: "migrate:\n  accept: [INDEX_BUILD]\n")
      let refused = try slot.crossfade("expand")
      #expect(refused.status == .exited(3), "\(refused.output)")
      #expect(refused.output.contains("nobody has accepted ACQUIRES_ACCESS_EXCLUSIVE_LOCK of expand.column"))
      #expect(try slot.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'crossfade'") == "0")
      let wrong = try slot.crossfade("expand", more: ["--accept", "EVERYTHING"])
      #expect(wrong.status == .exited(64))
      let accepted = try slot.crossfade("expand", more: ["--accept", "ACQUIRES_ACCESS_EXCLUSIVE_LOCK"])
      #expect(accepted.status == .exited(0), "\(accepted.output)")
    }

    @Test("as JSON: every step with locks, limits, way back and figures with their evidence")
    func json() throws {
      let slot = try LedgerSlot("plan_json", rows: 500)
      try slot.sql("ANALYZE")
      let found = try object(try slot.crossfade("plan", more: ["--json"]))
      let steps = try #require(found["steps"] as? [[String: Any]])
      #expect(steps.count == (slot.hasColumnLists ? 23 : 22))
      let column = try #require(steps.first { $0["id"] as? String == "expand.column" })
      #expect(column["manner"] as? String == "transaction")
      #expect((column["lock_timeout_ms"] as? [String: Int]) == ["first": 100, "last": 2_000])
      let locks = try #require(column["locks"] as? [[String: String]])
      #expect(locks == [["table": "\"public\".\"transactions\"", "mode": "ACCESS EXCLUSIVE"]])
      let rows = try #require(steps.first { $0["id"] as? String == "backfill.rows" })
      #expect(rows["command"] as? String == "crossfade backfill")
      let estimate = try #require(rows["estimate"] as? [String: Any])
      for figure in ["rows", "seconds", "wal_bytes", "disk_bytes"] {
        let evidence = (estimate[figure] as? [String: Any])?["evidence"] as? String
        #expect(evidence?.isEmpty == false, "\(figure)")
      }
    }

    @Test("a role that may only read is answered in full, and told what it lacks")
    func reader() throws {
      let slot = try LedgerSlot("plan_reader")
      try slot.sql(
        """
        CREATE ROLE plan_reader LOGIN; GRANT SELECT ON transactions TO plan_reader;
        ALTER ROLE plan_reader SET default_transaction_read_only = on
        """)
      slot.user = "plan_reader"
      let run = try slot.crossfade("plan")
      #expect(run.status == .exited(1), "\(run.output)")
      #expect(run.output.contains("fail  role: plan_reader has not the REPLICATION attribute"))
      #expect(run.output.contains("\(slot.hasColumnLists ? 23 : 22)  contract.drop"))
    }

    @Test("emitted files are written once, and their exit code says so")
    func emit() throws {
      let slot = try LedgerSlot("plan_emit", more: Self.accept)
      let directory = slot.directory + "/flyway"
      let options = ["--emit", "flyway", "--to", directory, "--first", "700"]
      let run = try slot.crossfade("plan", more: options)
      #expect(run.status == .exited(0), "\(run.output)")
      #expect(run.output.contains("files; begin with \(directory)/README.md"))
      #expect(FileManager.default.fileExists(atPath: directory + "/1-expand/V700__expand_schema.sql"))
      let again = try slot.crossfade("plan", more: options)
      #expect(again.status == .exited(73))
      #expect(again.output.contains("\(directory)/README.md exists; nothing was written"))
      for wrong in [
        ["--emit", "flyway"], ["--to", directory], ["--emit", "sqitch", "--to", directory], ["--first", "2"],
        ["--emit", "sql", "--to", directory, "--after", "x"],
      ] {
        #expect(try slot.crossfade("plan", more: wrong).status == .exited(64), "\(wrong)")
      }
    }
  }
}
