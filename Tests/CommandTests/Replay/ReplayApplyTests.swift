import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade replay --apply", .serialized) struct ReplayApply {
    /// 90 rows in the log, a transaction each ten; then their states are taken away without the log's knowing.
    ///
    /// - Parameter apart: whether each of its nine transactions waits until the one before is synced, in a frame before its own.
    private func broken(_ name: String, apart: Bool = false) throws -> LedgerSlot {
      let slot = try LedgerSlot.running(name)
      for start in stride(from: 1, to: 91, by: 10) {
        try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id BETWEEN \(start) AND \(start + 9)")
        if apart { try slot.awaitApplied() }
      }
      try slot.awaitApplied()
      try slot.stop()
      try slot.sql("UPDATE transactions SET state_id = CASE WHEN id % 2 = 0 THEN 5 END WHERE id <= 90")
      return slot
    }

    private func wrong(_ slot: LedgerSlot) throws -> String? {
      try slot.sql("SELECT count(*) FROM transactions WHERE id <= 90 AND state_id IS DISTINCT FROM 2")
    }

    @Test("counts first and asks; then writes, and there is nothing left to do")
    func counted() throws {
      let slot = try broken("replay_counted")
      let asked = try slot.replay("--from", "earliest", "--apply")
      #expect(asked.status == .exited(3), "\(asked.output)")
      #expect(
        asked.output.contains("90 to write (incomplete 45, incorrect 45), 0 without a state in the map"))
      #expect(asked.output.contains("nothing was written") && asked.output.contains("give --yes"))
      #expect(try wrong(slot) == "90")
      let one = try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "7", "--json")
      #expect(one.status == .exited(0), "\(one.output)")
      #expect(try objects(one).last?["written"] as? Int == 1)
      #expect(try wrong(slot) == "89")
      let start = ContinuousClock.now
      let all = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--batch", "10", "--rate", "50", "--json")
      #expect(all.status == .exited(0), "\(all.output)")
      #expect(ContinuousClock.now - start > .seconds(1.5))
      let outcome = try #require(try objects(all).last)
      #expect(outcome["written"] as? Int == 89 && outcome["finished"] as? Bool == true)
      #expect(outcome["changes"] as? Int == 92)
      #expect(try wrong(slot) == "0")
      let again = try slot.replay("--from", "earliest", "--apply")
      #expect(again.status == .exited(0) && again.output.contains("0 to write"), "\(again.output)")
      #expect(
        try slot.sql(
          "SELECT count(*) FROM transactions WHERE status IS DISTINCT FROM 'CAPTURED' AND id <= 90") == "0")
    }

    @Test(
      "killed in the middle it goes on where it stood: every change once, every row once",
      arguments: ["applied-before-commit:4", "committed-before-confirm:4"])
    func killed(failPoint: String) throws {
      let slot = try broken("replay_killed_\(failPoint.prefix(1))")
      let arguments = ["--from", "earliest", "--apply", "--yes", "--batch", "10", "--json"]
      let killed = try slot.replay(
        arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
        failPoint: failPoint)
      #expect(killed.status == .signalled(SIGKILL), "\(killed.output)")
      let done = try #require(try slot.sql("SELECT changes FROM crossfade.replay").flatMap { Int($0) })
      #expect(done == (failPoint.hasPrefix("applied") ? 30 : 40))
      #expect(try wrong(slot) == "\(90 - done)")
      let other = try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "3")
      #expect(other.status == .exited(3) && other.output.contains("is unfinished"), "\(other.output)")
      // What is committed meanwhile is not part of it: its end was fixed when it began.
      let resumed = try slot.replay("--from", "earliest", "--apply", "--yes", "--batch", "10", "--json")
      #expect(resumed.status == .exited(0), "\(resumed.output)")
      #expect(resumed.output.contains("goes on after "))
      let outcome = try #require(try objects(resumed).last)
      #expect(outcome["changes"] as? Int == 92 && outcome["written"] as? Int == 90)
      #expect(try wrong(slot) == "0")
      // Finished, another may begin.
      #expect(try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "3").status == .exited(0))
    }

    @Test("--restart forgets an unfinished one")
    func restarted() throws {
      let slot = try broken("replay_restarted")
      let killed = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--batch", "10", failPoint: "committed-before-confirm:2")
      #expect(killed.status == .signalled(SIGKILL))
      let anew = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--key", "50", "--restart", "--json")
      #expect(anew.status == .exited(0), "\(anew.output)")
      #expect(try objects(anew).last?["changes"] as? Int == 1)
    }

    @Test("stopped between two commits it says how to go on, and goes on")
    func stopped() throws {
      let slot = try broken("replay_stopped")
      let arguments = ["--from", "earliest", "--apply", "--yes", "--batch", "10"]
      let errors = slot.directory + "/replay.log"
      let process = try ChildProcess(
        [try CrossfadeBinary.path(), "replay", slot.path] + arguments + ["--rate", "5"],
        environment: slot.environment, output: .file(errors), errors: .file(errors))
      try #require(try slot.await("SELECT to_regclass('crossfade.replay') IS NOT NULL"))
      try #require(try slot.await("SELECT coalesce(max(changes), 0) > 0 FROM crossfade.replay"))
      #expect(process.stop(SIGTERM, grace: .seconds(20)) == .exited(75))
      let said = try String(contentsOfFile: errors, encoding: .utf8)
      #expect(said.contains("stopped after ") && said.contains("run the same command again"), "\(said)")
      let resumed = try slot.replay("--from", "earliest", "--apply", "--yes", "--batch", "10", "--json")
      #expect(resumed.status == .exited(0) && resumed.output.contains("goes on after "), "\(resumed.output)")
      #expect(try objects(resumed).last?["changes"] as? Int == 92)
      #expect(try wrong(slot) == "0")
    }

    @Test("a map of one's own: written as it says, refused where the map table does not hold its ids")
    func mapped() throws {
      let slot = try broken("replay_mapped")
      let map = slot.directory + "/newer.yaml"
      func write(_ id: Int) throws {
        try "states:\n  - {id: \(id), code: other, status: CAPTURED}\n".write(
          toFile: map, atomically: true, encoding: .utf8)
      }
      try write(77)
      let refused = try slot.replay("--from", "earliest", "--apply", "--yes", "--map", map)
      #expect(refused.status == .exited(3) && refused.output.contains("77 (other)"), "\(refused.output)")
      try write(3)
      // Row 99, EXPIRED, is not in that map: it keeps what it has.
      let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--map", map)
      #expect(
        run.status == .exited(1) && run.output.contains("1 without a state in the map"), "\(run.output)")
      #expect(try slot.sql("SELECT count(*) FROM transactions WHERE state_id = 3 AND id <= 90") == "90")
      #expect(try slot.sql("SELECT state_id FROM transactions WHERE id = 99") == "8")
    }

    @Test("a row that the target refuses is left out and counted; the others are written")
    func poison() throws {
      let slot = try broken("replay_poison")
      try slot.sql(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF new.id = 13 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN new; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON transactions FOR EACH ROW EXECUTE FUNCTION refuse()
        """)
      let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--batch", "20", "--json")
      #expect(run.status == .exited(1), "\(run.output)")
      let outcome = try #require(try objects(run).last)
      #expect(outcome["refused"] as? Int == 1 && outcome["written"] as? Int == 89)
      #expect(try wrong(slot) == "1")
    }

    @Test("a role that may not keep the replay's position is told which grants it lacks")
    func forbidden() throws {
      let slot = try broken("replay_forbidden")
      try slot.sql(
        """
        CREATE ROLE replay_forbidden LOGIN;
        GRANT SELECT, UPDATE (state_id) ON transactions TO replay_forbidden;
        GRANT SELECT ON transaction_state TO replay_forbidden;
        GRANT USAGE ON SCHEMA crossfade TO replay_forbidden;
        GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO replay_forbidden
        """)
      slot.user = "replay_forbidden"
      func refuses(_ object: String) throws {
        let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "7")
        #expect(
          run.status == .exited(77) && run.output.contains("permission denied for \(object)"), "\(run.output)"
        )
        #expect(
          run.output.contains("hint: ") && run.output.contains("UPDATE on crossfade.replay"), "\(run.output)")
      }
      try refuses("schema crossfade")
      slot.user = nil
      try #require(
        try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "8").status == .exited(0))
      slot.user = "replay_forbidden"
      try refuses("table replay")
      try slot.sql("GRANT SELECT, INSERT, UPDATE ON crossfade.replay TO replay_forbidden")
      guard slot.hasMessages else { return }
      let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "7")
      #expect(run.status == .exited(0), "\(run.output)")
      #expect(try wrong(slot) == "88")
    }

    /// Damages a frame in which some of the 90 rows are, and not all: how many, tells what can still be printed. How transactions lie in
    /// frames is a matter of when they were synced.
    private func spoil(_ slot: LedgerSlot) throws -> Int {
      var frame = 2
      while true {
        try slot.spoilFrame(frame)
        let printed = try objects(try slot.replay("--from", "earliest", "--skip-damage"))
        let keys = Set(printed.compactMap { ($0["key"] as? [String])?.first.flatMap { Int($0) } })
        let lost = 90 - keys.filter { $0 <= 90 }.count
        if (1..<90).contains(lost) { return lost }
        // Twice damaged is whole.
        try slot.spoilFrame(frame)
        frame += 1
      }
    }

    @Test("over damage: the gap is marked beside the position")
    func damaged() throws {
      let slot = try broken("replay_gap", apart: true)
      let path = try slot.segment()
      let lost = try spoil(slot)
      #expect(try slot.replay("--from", "earliest", "--apply", "--yes").status == .exited(65))
      #expect(try wrong(slot) == "90")
      let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--skip-damage")
      #expect(run.status == .exited(1) && run.output.contains("1 gap crossed"), "\(run.output)")
      #expect(try wrong(slot) == "\(lost)")
      #expect(try slot.sql("SELECT gaps -> 0 ->> 'file' FROM crossfade.replay") == path)
    }

    @Test("beside a running dual-write, under traffic, all comes out right, and nothing of it comes back")
    func beside() async throws {
      let slot = try LedgerSlot.running("replay_beside")
      for round in 0..<20 {
        let status = ["AUTH", "CAPTURED"][round % 2]
        try slot.sql("UPDATE transactions SET status = '\(status)' WHERE id <= 90")
      }
      try slot.awaitApplied()
      try slot.sql("UPDATE transactions SET state_id = NULL WHERE id % 3 = 0 AND id <= 90")
      let writer = slot.traffic(milliseconds: 5000)
      for batch in ["7", "40", "1000"] {
        let run = try slot.replay("--from", "earliest", "--apply", "--yes", "--batch", batch)
        #expect(run.status == .exited(0), "\(run.output)")
      }
      #expect(try await writer.value.get() > 100)
      try slot.awaitApplied()
      let verified = try slot.crossfade("backfill")
      #expect(verified.status == .exited(0))
      #expect(try slot.crossfade("verify").status == .exited(0))
      // Our own writes are marked: capture drops them.
      let log = try ChildProcess.run(
        [try CrossfadeBinary.path(), "replay", slot.path, "--from", "earliest"],
        environment: slot.environment,
        within: .seconds(60))
      let seen = try objects(log).count
      let applied = try slot.sql("SELECT changes FROM crossfade.checkpoint").flatMap { Int($0) }
      #expect(applied == seen)
    }
  }
}
