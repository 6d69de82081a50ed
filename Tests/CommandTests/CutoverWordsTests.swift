import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// What is said around a cutover: how far `run` is on the way back, what to do about the quarantine, what a killed command left.
  @Suite("What is said around a cutover", .serialized) struct CutoverWords {
    private static let named = ["--confirm", "public.transactions.state_id"]

    private func done(_ slot: LedgerSlot, _ command: String...) throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      try #require(run.status == .exited(0), "\(command): \(run.output)")
    }

    private func verified(_ name: String) throws -> LedgerSlot {
      let slot = try LedgerSlot(name)
      try done(slot, "expand")
      try slot.start()
      for command in ["backfill", "constrain", "verify"] { try done(slot, command) }
      return slot
    }

    @Test("--back says how far run is, and that one which holds its lock stands still")
    func progress() throws {
      let slot = try verified("words_back")
      try done(slot, "cutover", "--confirm", Self.named[1])
      slot.running?.kill(SIGSTOP)
      defer { slot.running?.kill(SIGCONT) }
      try slot.sql("UPDATE transactions SET state_id = 9 - state_id")
      let still = try slot.crossfade("cutover", more: ["--back"])
      #expect(still.status == .exited(0))
      let line = try #require(
        still.output.split(separator: "\n").first { $0.hasPrefix("`crossfade run`") }, "\(still.output)")
      #expect(line.contains(" behind (applied "), "\(line)")
      #expect(line.contains("), and has not moved for 2 s, its checkpoint "), "\(line)")
      #expect(
        line.hasSuffix(
          " ago: status lacks what was written to state_id alone since; `crossfade status SLOT` says what it waits for"
        ), "\(line)")
      #expect(try slot.sql("SELECT percent FROM crossfade.reads") == "0")
      // What a new writer leaves out is no status that the map lacks.
      try slot.sql(
        """
        INSERT INTO transactions (card_token, merchant_id, amount_cents, currency, status, state_id)
        VALUES ('c', 1, 1, 'EUR', NULL, 3)
        """)
      let look = try object(slot.crossfade("cutover", more: ["--dry-run", "--json", "--wait", "1s"]))
      let closed = try #require(look["gates"] as? [[String: Any]]).filter { $0["passes"] as? Bool != true }
      #expect(closed.compactMap { $0["gate"] as? String } == ["lag", "verification"])
      slot.running?.kill(SIGCONT)
      try done(slot, "cutover", "--confirm", Self.named[1])
      let moving = try slot.crossfade("cutover", more: ["--back"])
      #expect(
        moving.output.hasSuffix(
          "both columns stay in step\n`crossfade run` has applied all that was committed\n"),
        "\(moving.output)")
      let status = try slot.crossfade("status")
      #expect(
        status.output.contains(
          "; readers read the old one: `crossfade cutover SLOT` goes on, `crossfade cutover SLOT --back --forward-only` ends this\n"
        ), "\(status.output)")
    }

    @Test("what a killed cutover asked for is said, with what to do; not while a command is at work")
    func brokenOff() throws {
      let slot = try verified("words_broken")
      try slot.stop()
      try slot.sql(
        """
        INSERT INTO crossfade.direction (slot, asked) VALUES ('words_broken', 'both');
        INSERT INTO crossfade.step (slot, step, state, title) VALUES ('words_broken', 'cutover.direction', 'running', 'keep both');
        """)
      let status = try slot.crossfade("status")
      #expect(status.output.contains("; asked for: both, which `crossfade run` takes up when"))
      #expect(
        status.output.contains(
          "\nbroken off cutover.direction, to keep both: run `crossfade cutover SLOT` again, or go back by "
            + "`crossfade cutover SLOT --back --forward-only`\n"), "\(status.output)")
      let direction = try #require(
        try object(slot.crossfade("status", more: ["--json"]))["direction"] as? [String: Any])
      #expect((direction["broken_off"] as? [String: Any])?["step"] as? String == "cutover.direction")
      let other = try slot.connect()
      try other.query(
        "SELECT pg_advisory_lock(hashtext('crossfade migration'), hashtext('words_broken'))",
        purpose: "be at work")
      #expect(try !slot.crossfade("status").output.contains("broken off"))
    }

    @Test("what to do about the quarantine is said by its causes, in list, status and gate alike")
    func quarantine() throws {
      let slot = try verified("words_quarantine")
      try slot.sql("UPDATE transactions SET status = 'auth' WHERE id IN (1, 2)")
      try #require(try slot.await("SELECT count(*) = 2 FROM crossfade.quarantine"))
      try slot.sql(
        """
        INSERT INTO crossfade.quarantine (slot, key, reason)
        VALUES ('words_quarantine', '["3"]', 'violates check "c" (SQLSTATE 23514)')
        """)
      let unknown =
        "2 for an unknown status: add it to public.transaction_state and derive.map.states, then `crossfade quarantine retry SLOT`"
      let refused =
        "1 refused by the server: mend what the server names (a constraint, a trigger), then `crossfade quarantine retry SLOT`"
      let list = try slot.crossfade("quarantine", "list", more: ["--limit", "1"]).output
      #expect(list.hasSuffix("\nand 2 more\n\n\(unknown)\n\(refused)\n"), "\(list)")
      let status = try slot.crossfade("status").output
      #expect(status.contains("\nmend       \(unknown)\nmend       \(refused)\n"), "\(status)")
      let gates = try slot.crossfade("cutover", more: ["--dry-run", "--wait", "3s"]).output
      #expect(gates.contains("\n      mend:  \(unknown); \(refused)\n"), "\(gates)")
      let json = try object(slot.crossfade("quarantine", "list", more: ["--json"]))
      let causes = try #require(json["causes"] as? [[String: Any]])
      #expect(causes.compactMap { $0["cause"] as? String } == ["unknown status", "refused"])
      #expect(causes.compactMap { $0["rows"] as? Int } == [2, 1])
    }

    @Test(
      "a row filter is refused before the publication or the replica identity is changed",
      .enabled(if: ((try? PostgresInstallation.find())?.majorVersion ?? 0) >= 15, "row filters came with 15"))
    func filters() throws {
      let slot = try verified("words_filter")
      func closed(_ more: [String]) throws -> [String] {
        let look = try slot.crossfade(
          "cutover", more: ["--dry-run", "--json", "--wait", "3s", "--quiet", "1s"] + more)
        let gates = try #require(try object(look)["gates"] as? [[String: Any]], "\(look.output)")
        return gates.filter { $0["passes"] as? Bool != true }.compactMap { $0["value"] as? String }
      }
      let own = "publication words_filter filters the rows of public.transactions"
      #expect(try closed([]) == [])
      try slot.sql(
        "ALTER PUBLICATION words_filter SET TABLE transactions (id, status, state_id) WHERE (id > 0)")
      #expect(try closed([]) == [own])
      try slot.sql("ALTER PUBLICATION words_filter SET TABLE transactions (id, status, state_id)")
      try done(slot, "cutover", "--confirm", Self.named[1])
      let back = ["--back", "--forward-only"]
      #expect(try closed(back) == [])
      try slot.sql("ALTER PUBLICATION words_filter SET TABLE transactions WHERE (id > 0)")
      #expect(try closed(back) == [own])
      try slot.sql("ALTER PUBLICATION words_filter SET TABLE transactions")
      // By the key alone it may stay; by another column the application's updates would fail once the identity is as before.
      try slot.sql("CREATE PUBLICATION words_other FOR TABLE transactions WHERE (id > 0)")
      #expect(try closed(back) == [])
      try slot.sql("ALTER PUBLICATION words_other SET TABLE transactions WHERE (id > 0 AND merchant_id > 0)")
      #expect(
        try closed(back) == [
          "publication words_other filters by merchant_id, which the replica identity of before does not hold: the application's "
            + "updates would fail"
        ])
      try slot.sql("DROP PUBLICATION words_other")
      try done(slot, "cutover", "--back", "--forward-only", "--confirm", "public.transactions.status")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id = 1")
    }
  }
}
