import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Keys of several columns, with every character that has a meaning somewhere on their way.
  @Suite("Keys of several columns", .timeLimit(.minutes(5))) struct KeyTests {
    private static let references = [
      "plain", "", " ", "NULL", "null", "n", "it's", "say \"so\"", "back\\slash", "\\N", "a,b", "{a}", "{}",
      "[\"x\"]",
      "tab\tand\nline", "\u{1F4B3}", "caf\u{E9}", "cafe\u{301}", "%s $1 ${HOME}", "\u{1}",
      "'; DROP TABLE x; --",
    ]

    private static let schema = """
      CREATE TABLE public."Card payments" (
        region integer NOT NULL, "ref no" text COLLATE "C" NOT NULL, amount numeric, status text,
        PRIMARY KEY (region, "ref no"))
      """

    @Test("inserts, moves, new keys and deletes find their rows, whatever the key holds")
    func awkward() throws {
      let table = "public.\"Card payments\""
      let ledger = try LedgerFixture("awkward_keys", schema: Self.schema) { slot in
        slot.table = "'public.\"Card payments\"'"
        slot.key = ["region", "'\"ref no\"'"]
      }
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      for (number, reference) in Self.references.enumerated() {
        try session.query(
          "INSERT INTO \(table) VALUES ($1, $2, 1, 'AUTH')", [.integer(number % 2), .text(reference)],
          purpose: "insert")
      }
      let count = Self.references.count
      try ledger.awaitRow("SELECT count(*) = \(count) FROM \(table) WHERE state_id = 1", process)
      #expect(try session.query("SELECT count(*) FROM \(table)", purpose: "count")[0] == "\(count)")

      // All in one transaction: moved twice, so that changes to one key coalesce.
      try session.query("BEGIN", purpose: "begin")
      for reference in Self.references {
        for status in ["who knows", "CHARGE BACK"] {
          try session.query(
            "UPDATE \(table) SET status = $2 WHERE \"ref no\" = $1", [.text(reference), .text(status)],
            purpose: "move")
        }
      }
      try session.query("COMMIT", purpose: "commit")
      try ledger.awaitRow("SELECT count(*) = \(count) FROM \(table) WHERE state_id = 7", process)
      #expect(try ledger.quarantine() == [])

      try session.query("UPDATE \(table) SET region = region + 10, status = '?'", purpose: "change keys")
      try ledger.awaitRow(
        "SELECT count(*) = \(count) FROM crossfade.quarantine WHERE slot = '\(ledger.slot)'", process)
      let held = try session.query(
        """
        SELECT count(*) FROM crossfade.quarantine q JOIN \(table) t
          ON q.key = to_jsonb(ARRAY[t.region::text, t."ref no"]) WHERE q.slot = $1 AND q.status = '?'
        """, [.text(ledger.slot)], purpose: "compare keys")
      #expect(held[0] == "\(count)")
      #expect(
        try session.query("SELECT count(state_id) FROM \(table)", purpose: "count")[0] == "0")

      try session.query("DELETE FROM \(table) WHERE region = 10", purpose: "delete")
      try session.query("UPDATE \(table) SET status = 'AUTH'", purpose: "mend")
      try ledger.awaitRow(
        "SELECT NOT EXISTS (SELECT FROM crossfade.quarantine WHERE slot = '\(ledger.slot)')", process)
      try ledger.awaitRow("SELECT bool_and(state_id = 1) FROM \(table)", process)
      #expect(process.stop() == .exited(0))
    }
  }
}
