import LocalCluster
import Testing

extension CommandTests {
  @Suite("crossfade quarantine", .serialized) struct Quarantine {
    @Test(
      "unknown statuses are listed, and released when the map knows them, the row is gone or its status is known"
    )
    func course() throws {
      let slot = try LedgerSlot("quarantine_course")
      try #require(try slot.crossfade("expand").status == .exited(0))
      #expect(try slot.crossfade("quarantine", "list").output == "the quarantine is empty\n")
      try slot.start()
      try slot.sql(
        """
        UPDATE transactions SET status = 'auth' WHERE id IN (1, 2);
        UPDATE transactions SET status = NULL WHERE id = 3;
        UPDATE transactions SET status = 'it''s' WHERE id = 4;
        UPDATE transactions SET status = 'other' WHERE id = 5;
        """)
      try #require(try slot.await("SELECT count(*) = 5 FROM crossfade.quarantine"))
      let list = try object(try slot.crossfade("quarantine", "list", more: ["--json", "--limit", "4"]))
      #expect(list["count"] as? Int == 5)
      let rows = try #require(list["rows"] as? [[String: Any]])
      #expect(rows.compactMap { $0["key"] as? String } == ["[\"1\"]", "[\"2\"]", "[\"3\"]", "[\"4\"]"])
      #expect(rows[0]["status"] as? String == "auth")
      #expect(rows[2]["status"] is String == false)
      #expect((rows[0]["position"] as? String)?.contains("/") == true)
      let text = try slot.crossfade("quarantine", "list", more: ["--limit", "1"])
      #expect(text.status == .exited(0))
      #expect(text.output.contains("\nand 4 more\n\n5 for an unknown status: "))

      let nothing = try slot.crossfade("quarantine", "retry")
      #expect(nothing.status == .exited(1))
      #expect(nothing.output == "5 rows tried: 0 released, 5 remain\n")
      // Behind the stream's back, so that only the retry can find it out: a row that is gone, one that is known now.
      try slot.stop()
      try slot.sql(
        """
        INSERT INTO transaction_state VALUES (9, 'lower', 'auth');
        DELETE FROM transactions WHERE id = 3;
        UPDATE transactions SET status = 'AUTH' WHERE id = 4;
        """)
      let some = try slot.crossfade("quarantine", "retry")
      #expect(some.status == .exited(1))
      #expect(some.output == "5 rows tried: 4 released, 1 remain\n")
      #expect(
        try slot.sql(
          "SELECT string_agg(id || ':' || state_id, ' ' ORDER BY id) FROM transactions WHERE id < 5 ")
          == "1:9 2:9 4:1")
      #expect(try slot.sql("SELECT key::text FROM crossfade.quarantine") == "[\"5\"]")
      try slot.sql("INSERT INTO transaction_state VALUES (10, 'other', 'other')")
      let all = try slot.crossfade("quarantine", "retry", more: ["--json"])
      #expect(all.status == .exited(0))
      #expect(all.output == "{\"looked\":1,\"released\":1,\"remaining\":0}\n")
    }

    @Test("a retry's writes carry the mark: they do not come back into the log")
    func mark() throws {
      let slot = try LedgerSlot("quarantine_mark")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'new' WHERE id = 1")
      try #require(try slot.await("SELECT count(*) = 1 FROM crossfade.quarantine"))
      let before = try slot.sql("SELECT changes FROM crossfade.checkpoint")
      try slot.sql("INSERT INTO transaction_state VALUES (9, 'new', 'new')")
      #expect(try slot.crossfade("quarantine", "retry").status == .exited(0))
      // A change that comes after it shows that the retry's own has passed.
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 2")
      try #require(try slot.await("SELECT state_id = 3 FROM transactions WHERE id = 2"))
      let after = try slot.sql("SELECT changes FROM crossfade.checkpoint")
      #expect(try #require(after.flatMap { Int($0) }) == (before.flatMap { Int($0) } ?? 0) + 1)
      try slot.stop()
    }

    @Test("a row that the server refuses stays, the others go, batch by batch")
    func poison() throws {
      let slot = try LedgerSlot("quarantine_poison", more: "write: {batch: 7}\n")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.sql(
        """
        INSERT INTO crossfade.quarantine (slot, key, status, reason)
          SELECT 'quarantine_poison', jsonb_build_array(id::text), status, 'test' FROM transactions WHERE id <= 20;
        INSERT INTO crossfade.quarantine (slot, key, reason) VALUES ('quarantine_poison', '["not a number"]', 'test'),
          ('quarantine_poison', '["1", "2"]', 'test');
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN IF NEW.id = 7 THEN RAISE EXCEPTION ''no''; END IF; RETURN NEW; END';
        CREATE TRIGGER refuse BEFORE UPDATE ON transactions FOR EACH ROW EXECUTE FUNCTION refuse();
        """)
      let run = try slot.crossfade("quarantine", "retry")
      #expect(run.status == .exited(1))
      #expect(run.output == "22 rows tried: 19 released, 3 remain\n")
      #expect(try slot.sql("SELECT count(*) FROM transactions WHERE state_id IS NOT NULL") == "19")
    }
  }
}
