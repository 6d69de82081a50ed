import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  /// Old, new and mixed writers, and readers that ask the flag, through the cutover and back.
  @Suite("A cutover under traffic", .serialized, .timeLimit(.minutes(15))) struct CutoverUnderTraffic {
    private static let rows = 300
    private static let named = ["--confirm", "public.transactions.state_id"]

    private func done(_ slot: LedgerSlot, _ command: [String], _ note: String = "") throws {
      let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
      #expect(run.status == .exited(0), "\(note) \(command): \(run.output)")
    }

    /// A migration that is verified while its traffic runs, writers of the new column alone still waiting.
    private func begin(_ name: String, more: String = "") throws -> (LedgerSlot, CutoverTraffic) {
      let slot = try LedgerSlot(name, rows: Self.rows, more: more)
      try slot.sql("ALTER TABLE transactions ALTER status DROP DEFAULT, ALTER status SET NOT NULL")
      try done(slot, ["expand"])
      try slot.start()
      let traffic = try CutoverTraffic(slot, rows: Self.rows)
      #expect(traffic.allow([.old, .mixed, .read]))
      for command in ["backfill", "constrain", "verify"] { try done(slot, [command]) }
      return (slot, traffic)
    }

    private func some(_ traffic: CutoverTraffic, _ kinds: [CutoverTraffic.Kind], _ count: Int = 100) {
      let before = kinds.map { traffic.count($0) }
      #expect(
        eventually(within: .seconds(60)) {
          zip(kinds, before).allSatisfy { traffic.count($0) >= $1 + count }
        }, "\(traffic.failed.prefix(3))")
    }

    /// Both columns say what the application meant, in every row.
    private func expectTruth(_ slot: LedgerSlot, _ traffic: CutoverTraffic) throws {
      #expect(traffic.end() == [])
      let list = CutoverTraffic.texts.map(SQLText.literal).joined(separator: ", ")
      let differing = """
        FROM public.transactions AS t FULL JOIN public.truth AS m USING (id)
         WHERE t.state_id IS DISTINCT FROM m.state OR t.status IS DISTINCT FROM (ARRAY[\(list)])[m.state]
        """
      let isRight = try slot.await("SELECT NOT EXISTS (SELECT \(differing))", within: .seconds(60))
      let shown = try slot.sql(
        "SELECT string_agg(concat_ws(' ', id, status, state_id, state), '; ') FROM (SELECT id, t.status, t.state_id, m.state \(differing) LIMIT 5) AS d"
      )
      #expect(isRight, "\(shown ?? "")")
      #expect(try slot.sql("SELECT count(*) FROM crossfade.quarantine") == "0")
      try done(slot, ["verify", "--restart"])
      try done(slot, ["audit", "--verify"])
    }

    @Test("by parts, back, forth, and back to the old column alone: nothing fails, nothing differs")
    func course() throws {
      let (slot, traffic) = try begin("cutover_traffic")
      try done(slot, ["cutover", "--percent", "20"] + Self.named)
      try done(slot, ["cutover"] + Self.named)
      #expect(traffic.allow(Set(CutoverTraffic.Kind.allCases)))
      some(traffic, CutoverTraffic.Kind.allCases)
      try done(slot, ["cutover", "--back"])
      some(traffic, CutoverTraffic.Kind.allCases)
      try done(slot, ["cutover"] + Self.named)
      some(traffic, CutoverTraffic.Kind.allCases)
      // While somebody writes the new column alone, only readers may go back.
      let refused = try slot.crossfade(
        "cutover", more: ["--back", "--forward-only", "--confirm", "public.transactions.status"])
      #expect(refused.status == .exited(3))
      #expect(refused.output.contains("\nfail  lone writes  state_id was written alone"), "\(refused.output)")
      #expect(traffic.allow([.old, .mixed, .read]))
      let isQuiet = try eventually(within: .seconds(30)) {
        try slot.crossfade(
          "cutover",
          more: ["--back", "--forward-only", "--quiet", "2s", "--confirm", "public.transactions.status"]
        ).status == .exited(0)
      }
      #expect(isQuiet)
      some(traffic, [.old, .mixed, .read])
      try expectTruth(slot, traffic)
    }

    @Test("a bridge of triggers: the same, without whole old rows in the stream")
    func bridge() throws {
      let (slot, traffic) = try begin("cutover_bridge", more: "migrate:\n  bridge: trigger\n")
      try done(slot, ["cutover"] + Self.named)
      #expect(traffic.allow(Set(CutoverTraffic.Kind.allCases)))
      some(traffic, CutoverTraffic.Kind.allCases)
      try done(slot, ["cutover", "--back"])
      some(traffic, CutoverTraffic.Kind.allCases)
      #expect(try slot.sql("SELECT relreplident FROM pg_class WHERE oid = 'transactions'::regclass") == "d")
      try expectTruth(slot, traffic)
    }
  }
}

/// By itself: it has a time limit of its own.
@Suite("A hundred cutovers", .serialized, .timeLimit(.minutes(15))) struct CutoverHundred {
  @Test("back and forth under traffic: no statement fails, and both columns say the same in the end")
  func hundred() throws {
    let rows = 300
    let slot = try LedgerSlot("cutover_hundred", rows: rows)
    #expect(try slot.crossfade("expand").status == .exited(0))
    try slot.start()
    let traffic = try CutoverTraffic(slot, rows: rows)
    #expect(traffic.allow([.old, .mixed, .read]))
    for command in ["backfill", "constrain", "verify"] {
      #expect(try slot.crossfade(command).status == .exited(0))
    }
    for turn in 1...100 {
      let forth = try slot.crossfade("cutover", more: ["--confirm", "public.transactions.state_id"])
      #expect(forth.status == .exited(0), "\(turn): \(forth.output)")
      if turn == 1 { #expect(traffic.allow(Set(CutoverTraffic.Kind.allCases))) }
      let back = try slot.crossfade("cutover", more: ["--back"])
      #expect(back.status == .exited(0), "\(turn): \(back.output)")
      try #require(traffic.failed == [])
    }
    #expect(traffic.end() == [])
    let list = CutoverTraffic.texts.map(SQLText.literal).joined(separator: ", ")
    let isRight = try slot.await(
      """
      SELECT NOT EXISTS (SELECT FROM public.transactions AS t FULL JOIN public.truth AS m USING (id)
        WHERE t.state_id IS DISTINCT FROM m.state OR t.status IS DISTINCT FROM (ARRAY[\(list)])[m.state])
      """, within: .seconds(60))
    #expect(isRight)
  }
}
