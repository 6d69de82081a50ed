import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade check", .serialized) struct Check {
    private func problems(_ run: CapturedRun) -> [String] {
      run.output.split(separator: "\n").filter { $0.hasPrefix("fail") || $0.hasPrefix("warn") }.map {
        $0.split(separator: " ", omittingEmptySubsequences: true).prefix(3).joined(separator: " ")
      }
    }

    @Test("before expand two things are missing, after it nothing, and a second look changes nothing")
    func course() throws {
      let slot = try LedgerSlot("check_course", rows: 2000)
      let before = try slot.crossfade("check")
      #expect(before.status == .exited(1))
      #expect(problems(before) == ["fail new column", "fail map table"])
      #expect(try slot.crossfade("expand").status == .exited(0))
      let after = try slot.crossfade("check")
      #expect(after.status == .exited(0), "\(after.output)")
      #expect(problems(after) == [])
      #expect(after.output.contains("  all 8 statuses in public.transactions are in the map"))
      try slot.start()
      let during = try slot.crossfade("check")
      #expect(during.status == .exited(0), "\(during.output)")
      #expect(during.output.contains("is read by crossfade capture check_course"))
      try slot.stop()
    }

    @Test("findings as JSON")
    func json() throws {
      let slot = try LedgerSlot("check_json")
      let run = try slot.crossfade("check", more: ["--json"])
      let found = try object(run)
      #expect(found["slot"] as? String == "check_json")
      #expect(found["failed"] as? Int == 2)
      let findings = try #require(found["findings"] as? [[String: Any]])
      #expect(findings.first?["level"] as? String == "pass")
      #expect(findings.count == (found["passed"] as? Int ?? 0) + (found["warned"] as? Int ?? 0) + 2)
    }

    @Test("the stream's options are shown with their reasons, and what the server has not warns")
    func stream() throws {
      let slot = try LedgerSlot(
        "check_stream", more: "stream:\n  streaming: true\n  origin: none\n")
      let run = try slot.crossfade("check")
      let major = try slot.connect().serverVersion.major
      #expect(run.output.contains("\nstream option  value "), "\(run.output)")
      let streaming = major < 14 ? "off" : major < 16 ? "on " : "parallel"
      #expect(run.output.contains("\nstreaming      \(streaming)"), "\(run.output)")
      let denied = run.output.contains(
        "warn  stream                 origin stays any: the server is \(major).")
      #expect(denied == (major < 16), "\(run.output)")
      let options = try #require(
        try object(try slot.crossfade("check", more: ["--json"]))["stream"] as? [[String: Any]])
      #expect(
        options.map { $0["option"] as? String } == [
          "proto_version", "streaming", "two_phase", "binary", "messages", "origin",
        ])
      #expect(options[5]["value"] as? String == (major < 16 ? "any" : "none"))
      #expect(options.allSatisfy { ($0["reason"] as? String)?.isEmpty == false })
    }

    @Test("triggers, unknown statuses, a narrow publication and a missing key are told")
    func troubles() throws {
      let slot = try LedgerSlot("check_troubles")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        """
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
        CREATE TRIGGER touch BEFORE UPDATE ON transactions FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER other BEFORE UPDATE OF currency ON transactions FOR EACH ROW EXECUTE FUNCTION touch();
        UPDATE transactions SET status = 'auth' WHERE id = 1;
        UPDATE transactions SET status = NULL WHERE id = 2;
        CREATE PUBLICATION check_troubles FOR TABLE transactions\(slot.hasColumnLists ? " (id, state_id)" : "")
          WITH (publish = 'insert, update, delete');
        ALTER TABLE transactions DROP CONSTRAINT transactions_pkey;
        """)
      let run = try slot.crossfade("check")
      #expect(run.status == .exited(1))
      #expect(
        problems(run) == [
          "fail replica identity", "fail key no", "warn triggers each", "fail publication check_troubles",
          "fail coverage status", "fail coverage status",
        ], "\(run.output)")
      #expect(run.output.contains("touch on public.transactions (touch)"))
      #expect(!run.output.contains("other on"))
      #expect(run.output.contains("status `auth` is not in the map; `AUTH` is"))
      #expect(run.output.contains("fix: ALTER PUBLICATION \"check_troubles\" SET (publish ="))
    }

    @Test(
      "a text of the map that the old column cannot hold is told before expand, and keeps a cutover from beginning"
    )
    func texts() throws {
      let slot = try LedgerSlot("check_texts")
      try slot.sql("ALTER TABLE transactions ADD CONSTRAINT known CHECK (status <> 'Gone') NOT VALID")
      let more = slot.definition.replacing(
        "      - {id: 8,", with: "      - {id: 9, code: gone, status: Gone}\n      - {id: 8,")
      try more.write(toFile: slot.path, atomically: true, encoding: .utf8)
      let told =
        "state gone (9): its text 'Gone' breaks CHECK known of public.transactions: (status <> 'Gone'::text)"
      let before = try slot.crossfade("check")
      #expect(before.output.contains("fail  map texts              \(told)\n"), "\(before.output)")
      #expect(try slot.crossfade("expand").status == .exited(0))
      let gates = try slot.crossfade("cutover", more: ["--dry-run"])
      #expect(gates.status == .exited(3))
      #expect(gates.output.contains("fail  map texts") && gates.output.contains(told), "\(gates.output)")
    }

    @Test("statements offered as a fix do fix it")
    func fixes() throws {
      let slot = try LedgerSlot("check_fixes")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        """
        CREATE PUBLICATION check_fixes WITH (publish = 'insert');
        ALTER TABLE transactions ALTER COLUMN state_id SET DEFAULT 1;
        """)
      for _ in 0..<4 {
        let run = try slot.crossfade("check")
        let lines = run.output.split(separator: "\n")
        guard let index = lines.firstIndex(where: { $0.hasPrefix("fail") || $0.hasPrefix("warn") }) else {
          break
        }
        let fix = lines[index + 1].drop { $0 == " " }.dropFirst("fix: ".count)
        try slot.sql(String(fix.prefix { $0 != ";" }))
      }
      let run = try slot.crossfade("check")
      #expect(problems(run) == [], "\(run.output)")
    }

    @Test("a role that may only look is told what it lacks, and nothing is changed")
    func reader() throws {
      let slot = try LedgerSlot("check_reader")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        "CREATE ROLE check_reader LOGIN; GRANT SELECT ON transactions, transaction_state TO check_reader")
      slot.user = "check_reader"
      let run = try slot.crossfade("check")
      #expect(run.status == .exited(1))
      #expect(
        problems(run) == [
          "fail role check_reader", "fail control schema",
        ] + (slot.hasMessages ? [] : ["fail mark of"]) + [
          "fail privileges check_reader", "warn grants public.transactions",
        ] + (slot.cluster.installation.majorVersion < 15 ? [] : ["warn grants check_reader"]) + [
          "warn grants check_reader", "warn grants check_reader", "fail publication check_reader",
          "warn long transactions",
        ], "\(run.output)")
      for fix in [
        "ALTER ROLE \"check_reader\" REPLICATION;", "GRANT USAGE ON SCHEMA crossfade TO \"check_reader\";",
        "GRANT UPDATE (\"state_id\", \"status\") ON \"public\".\"transactions\" TO \"check_reader\";",
        "as postgres: CREATE PUBLICATION",
      ] { #expect(run.output.contains(fix), "\(run.output)") }
    }

    @Test("with the fixes applied and nothing more, a role without CREATE passes, and run works as it")
    func leastPrivilege() throws {
      let slot = try LedgerSlot("check_least")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        """
        DROP SCHEMA crossfade CASCADE;
        CREATE ROLE check_least LOGIN REPLICATION;
        GRANT SELECT ON transactions, transaction_state TO check_least;
        """)
      slot.user = "check_least"
      let before = try slot.crossfade("check")
      let lines = before.output.split(separator: "\n")
      for (finding, fix) in zip(lines, lines.dropFirst()) where finding.hasPrefix("fail") {
        var statement = fix.drop { $0 == " " }.dropFirst("fix: ".count)
        for who in ["as postgres: ", "as a superuser: "] where statement.hasPrefix(who) {
          statement = statement.dropFirst(who.count)
        }
        try slot.sql(String(statement))
      }
      let after = try slot.crossfade("check")
      #expect(after.status == .exited(0), "\(after.output)")
      // What only `expand`, `constrain`, `cutover` and `contract` need.
      #expect(
        problems(after) == ["warn grants public.transactions"]
          + (slot.cluster.installation.majorVersion < 15 ? [] : ["warn grants check_least"])
          + ["warn grants check_least", "warn long transactions"])
      #expect(
        after.output.contains(
          slot.hasMessages ? "a logical message in each transaction" : "a replication origin"))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 1")
      #expect(try slot.await("SELECT state_id = 3 FROM transactions WHERE id = 1"))
      try slot.stop()
    }

    @Test("with every grant that check lists, a role from nothing expands, runs, backfills and constrains")
    func grants() throws {
      let slot = try LedgerSlot("check_grants")
      try slot.sql(
        """
        CREATE ROLE check_owner; CREATE ROLE check_grants LOGIN;
        ALTER TABLE transactions OWNER TO check_owner;
        REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE check_grants FROM PUBLIC;
        GRANT CONNECT ON DATABASE check_grants TO check_grants;
        """)
      slot.user = "check_grants"
      let first = try slot.crossfade("check")
      for line in [
        "fail  grants                 check_grants may not use schema public: nothing in it can be read\n"
          + "      fix: GRANT USAGE ON SCHEMA \"public\" TO \"check_grants\";\n",
        "fail  grants                 check_owner, who is to make publication check_grants, may not create in database check_grants\n"
          + "      fix: GRANT CREATE ON DATABASE \"check_grants\" TO \"check_owner\";\n",
        "warn  grants                 public.transactions belongs to check_owner: `expand`, `constrain`, `cutover` and `contract` "
          + "change it, which is the owner's to do\n"
          + "      fix: GRANT \"check_owner\" TO \"check_grants\";  -- or run those as check_owner\n",
      ] { #expect(first.output.contains(line), "\(first.output)") }
      for _ in 0..<3 {
        let lines = try slot.crossfade("check").output.split(separator: "\n")
        for (finding, fix) in zip(lines, lines.dropFirst())
        where finding.hasPrefix("fail") || finding.hasPrefix("warn  grants") {
          var statement = fix.drop { $0 == " " }.dropFirst("fix: ".count)
          if statement.hasPrefix("as a superuser: ") {
            statement = statement.dropFirst("as a superuser: ".count)
          }
          guard ["GRANT", "ALTER ROLE", "CREATE SCHEMA"].contains(where: statement.hasPrefix) else {
            continue
          }
          try slot.sql(String(statement))
        }
      }
      let said = try slot.crossfade("check").output
      #expect(!said.contains("warn  grants") && said.contains("pass  grants"), "\(said)")
      #expect(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      #expect(try slot.crossfade("backfill").status == .exited(0))
      let constrain = try slot.crossfade("constrain")
      #expect(constrain.status == .exited(0), "\(constrain.output)")
      try slot.stop()
    }

    @Test("a look at the statuses that takes too long is cut, and says so")
    func cut() throws {
      let slot = try LedgerSlot("check_cut")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        """
        CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_sleep(0.2); RETURN $1; END';
        ALTER TABLE transactions RENAME TO ledger;
        CREATE VIEW transactions AS SELECT id, slow(status) AS status, state_id FROM ledger;
        """)
      let run = try slot.crossfade("check", more: ["--scan", "1"])
      #expect(run.output.contains("was cut after 1000 ms"), "\(run.output)")
      #expect(run.status == .exited(1))
    }

    @Test("a bad definition exits with 78, a missing one with 66, a server away with 69")
    func codes() throws {
      let slot = try LedgerSlot("check_codes")
      try slot.definition.replacing("table: public.transactions", with: "tabel: public.transactions")
        .write(toFile: slot.path, atomically: true, encoding: .utf8)
      let bad = try slot.crossfade("check")
      #expect(bad.status == .exited(78))
      #expect(bad.output.contains("tabel"))
      try FileManager.default.removeItem(atPath: slot.path)
      #expect(try slot.crossfade("check").status == .exited(66))
      try slot.definition.replacing("${CROSSFADE_SOURCE}", with: "host=/tmp/no-server-here dbname=x")
        .write(toFile: slot.path, atomically: true, encoding: .utf8)
      let away = try slot.crossfade("check")
      #expect(away.status == .exited(69))
      #expect(problems(away) == ["fail connection cannot"], "\(away.output)")
    }
  }
}
