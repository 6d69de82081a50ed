import LocalCluster
import Testing

extension CommandTests {
  @Suite("crossfade replay --diff: what it must not say", .serialized) struct ReplayDiffDoubt {
    private static let row = """
      INSERT INTO transactions (id, card_token, merchant_id, amount_cents, currency, status)
        OVERRIDING SYSTEM VALUE SELECT id, 'x', 1, 1, 'EUR', 'AUTH' FROM unnest($1) AS id
      """

    private func rows(_ ids: String) -> String {
      Self.row.replacing("$1", with: "ARRAY[\(ids)]")
    }

    @Test("a row that came anew with the same status, and the log has not heard of it, is undecided")
    func cameAnew() throws {
      let slot = try LedgerSlot.running("replay_came_anew")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id BETWEEN 1 AND 9")
      try slot.awaitApplied()
      try slot.stop()
      try slot.sql("DELETE FROM ledger_audit; DELETE FROM transactions WHERE id = 7")
      try slot.sql(rows("7"))
      let early = try slot.replay("--from", "earliest", "--diff", "--key", "7", "--wait", "1")
      #expect(early.status == .exited(75) && early.output.contains("1 undecided"), "\(early.output)")
      #expect(early.output.contains("0 differences"), "\(early.output)")
      try slot.start()
      try slot.awaitApplied()
      let late = try slot.replay("--from", "earliest", "--diff", "--key", "7")
      #expect(late.status == .exited(0), "\(late.output)")
    }

    @Test("rows that a truncation in the range took away are not lost with it, however many differ")
    func truncated() throws {
      let slot = try LedgerSlot.running("replay_truncated")
      guard slot.hasMessages else { return }
      try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id BETWEEN 1 AND 5")
      try slot.sql("TRUNCATE ledger_audit, transactions CASCADE")
      try slot.sql(rows("99"))
      try slot.awaitApplied()
      try slot.hidden(rows("1, 2, 3, 4, 5"))
      let all = ["1": "risen", "2": "risen", "3": "risen", "4": "risen", "5": "risen"]
      #expect(try slot.compared(window: 100, suspects: 100).0 == all)
      #expect(try slot.compared(window: 1, suspects: 2).0 == all)
    }

    @Test("a key that is written otherwise is another key, though SQL calls the two equal")
    func written() throws {
      let slot = try LedgerSlot("replay_written")
      try slot.sql(
        """
        ALTER TABLE transactions ALTER COLUMN id DROP IDENTITY IF EXISTS;
        ALTER TABLE transactions ALTER COLUMN id TYPE numeric
        """)
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id = 7")
      try slot.sql("UPDATE transactions SET id = 7.0 WHERE id = 7")
      try slot.awaitApplied()
      let run = try slot.replay("--from", "earliest", "--diff")
      #expect(run.status == .exited(0) && !run.output.contains("risen"), "\(run.output)")
      try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id = 7.0")
      try slot.awaitApplied()
      #expect(try slot.replay("--from", "earliest", "--diff").status == .exited(0))
    }

    @Test("a key that the range says nothing of is named, and is no agreement")
    func unseen() throws {
      let slot = try LedgerSlot.running("replay_unseen")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id = 7")
      try slot.awaitApplied()
      let run = try slot.replay("--from", "earliest", "--diff", "--key", "abc", "--key", "7")
      #expect(run.status == .exited(1), "\(run.output)")
      #expect(run.output.contains("unseen  [\"abc\"]  the range has no change of it"), "\(run.output)")
      #expect(run.output.contains("1 key looked at, of "), "\(run.output)")
      let json = try slot.replay("--from", "earliest", "--diff", "--key", "abc", "--json")
      #expect(try objects(json).first?["unseen"] as? [String] == ["abc"], "\(json.output)")
      let summary = try #require(try objects(json).last?["summary"] as? [String: Any])
      #expect(summary["unseen"] as? Int == 1 && summary["looked_at"] as? Int == 0)
      let other = try slot.replay("--from", "earliest", "--diff", "--key", "7")
      #expect(other.status == .exited(0), "\(other.output)")
    }

    @Test("a range that ends before what is held, or before it begins, is refused")
    func empty() throws {
      let slot = try LedgerSlot.running("replay_empty")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id = 7")
      try slot.awaitApplied()
      for end in ["0/5", "2000-01-01T00:00:00Z"] {
        let run = try slot.replay("--from", "earliest", "--to", end, "--diff")
        #expect(run.status == .exited(3) && run.output.contains("first position held is"), "\(run.output)")
      }
      let first = try #require(try slot.ends().first)
      let run = try slot.replay("--from", first, "--to", "2000-01-01T00:00:00Z", "--diff")
      #expect(run.status == .exited(3) && run.output.contains("committed later"), "\(run.output)")
    }
  }
}
