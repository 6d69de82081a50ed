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
      // As the dual-write would take it up.
      try slot.sql(
        "CREATE FUNCTION crossfade.stub() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.standing := NEW.asked; NEW.since := now(); RETURN NEW; END'; "
      )
      try slot.sql(
        "CREATE TRIGGER stub BEFORE INSERT OR UPDATE ON crossfade.direction FOR EACH ROW EXECUTE FUNCTION crossfade.stub()"
      )
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
      #expect(try standing(slot) == "\(before(slot)) required 0 forward backfilled")
      let look = try slot.crossfade("cutover", more: ["--dry-run"])
      #expect(look.status == .exited(0), "\(look.output)")
      #expect(
        look.output.hasPrefix(
          "slot cutover_course is backfilled, 0 % of reads turned; the dual-write is in standing forward\n\npass  phase  "
        ),
        "\(look.output)")
      let unnamed = try slot.crossfade("cutover")
      #expect(unnamed.status == .exited(3))
      #expect(
        unnamed.output.hasSuffix("nothing was done: to do it, add --confirm \(Self.column)\n"),
        "\(unnamed.output)")
      let other = try slot.crossfade("cutover", more: ["--confirm", "public.transactions.status"])
      #expect(other.status == .exited(3))
      #expect(try standing(slot) == "\(before(slot)) required 0 forward backfilled")

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
  }
}
