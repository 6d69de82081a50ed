import LocalCluster
import Testing

extension CommandTests {
  @Suite("crossfade rollback --rehearse", .serialized, .timeLimit(.minutes(3))) struct Rehearse {
    @Test("as it is printed; killed in the middle, the next one clears what it left")
    func killed() throws {
      let slot = try LedgerSlot("rehearse_killed", rows: 500)
      let killed = try ChildProcess.run(
        [try CrossfadeBinary.path(), "rollback", slot.path, "--rehearse"],
        environment: slot.environment.merging(["CROSSFADE_FAIL_POINT": "step-before-commit:6"]) { $1 },
        within: .seconds(60))
      #expect(!killed.status.isSuccess && !killed.output.contains("passed"), "\(killed.output)")
      let schema = "crossfade_rehearsal_rehearse_killed"
      #expect(try slot.sql("SELECT to_regclass('\(schema).transactions') IS NOT NULL") == "t")
      let run = try slot.crossfade("rollback", more: ["--rehearse"])
      #expect(run.status == .exited(0), "\(run.output)")
      let lines = run.output.split(separator: "\n")
      #expect(
        lines.prefix(3) == [
          "rehearsing in schema \(schema) of database rehearse_killed",
          "       removing what an earlier rehearsal left", "done   copy 500 of about 500 rows",
        ], "\(run.output)")
      #expect(lines.contains("done   verify: 500 rows looked at, none is wrong"))
      #expect(lines.contains { $0.hasPrefix("passed: ") && $0.contains(" steps forward and back in ") })
      #expect(try slot.sql("SELECT count(*) FROM pg_namespace WHERE nspname = '\(schema)'") == "0")
      #expect(
        try slot.sql("SELECT string_agg(slot || ' ' || result, ', ') FROM crossfade.rehearsal")
          == "rehearse_killed passed")
      #expect(try slot.crossfade("audit", more: ["--verify"]).status == .exited(0))
      #expect(try slot.crossfade("rollback", more: ["--rows", "5"]).status == .exited(64))
    }
  }
}
