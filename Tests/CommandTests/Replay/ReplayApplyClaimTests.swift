import ChangeLog
import Derivation
import Foundation
import LocalCluster
import Logging
import Postgres
import Replay
import Testing

extension CommandTests {
  @Suite("crossfade replay --apply: whose it is, and what it holds", .serialized) struct ReplayApplyClaim {
    /// 90 rows in the log, in ten transactions; then their states are taken away.
    private func broken(_ name: String) throws -> LedgerSlot {
      let slot = try LedgerSlot.running(name)
      for start in stride(from: 1, to: 91, by: 10) {
        try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id BETWEEN \(start) AND \(start + 9)")
      }
      try slot.awaitApplied()
      try slot.stop()
      try slot.sql("UPDATE transactions SET state_id = NULL WHERE id <= 90")
      return slot
    }

    private func apply(_ slot: LedgerSlot, failPoint: String? = nil) throws -> CapturedRun {
      try slot.replay("--from", "earliest", "--apply", "--yes", "--batch", "10", failPoint: failPoint)
    }

    @Test("an edited definition does not go on with what another one began")
    func edited() throws {
      let slot = try broken("replay_edited")
      #expect(try apply(slot, failPoint: "committed-before-confirm:3").status == .signalled(SIGKILL))
      let definition = try String(contentsOfFile: slot.path, encoding: .utf8)
      try slot.sql("ALTER TABLE transactions ADD COLUMN other_id bigint")
      try definition.replacing("to: state_id", with: "to: other_id").write(
        toFile: slot.path, atomically: true, encoding: .utf8)
      let other = try apply(slot)
      #expect(other.status == .exited(3), "\(other.output)")
      #expect(
        other.output.contains("is unfinished") && other.output.contains("by another definition"),
        "\(other.output)")
      try definition.write(toFile: slot.path, atomically: true, encoding: .utf8)
      #expect(try apply(slot).status == .exited(0))
    }

    @Test("what another one began while this one was asking is neither overwritten nor gone on with")
    func meanwhile() throws {
      let slot = try broken("replay_meanwhile")
      let interrupt = try #require(Interrupt())
      let definition = try slot.parsed()
      let source = LogSource(directory: slot.log)
      let bounds = try #require(try source.bounds())
      let request = RepairRecord.Request(
        from: "earliest", to: nil, keys: nil, map: nil,
        derive: RepairRecord.Request.text(of: definition.derive),
        systemIdentifier: bounds.origin.systemIdentifier)
      let repair = Repair(
        RepairPlan(
          log: source, definition: definition, request: request, keys: nil, states: nil, crossesDamage: false,
          batch: 10, rate: nil), interrupt: interrupt, logger: Logger(label: "test"))
      let asked = ReplayRange(after: nil, end: .log)
      // This one would begin anew; another begins before it writes, and stays unfinished.
      let fresh = try repair.standing(asked, restart: false)
      let killed = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--key", "7", failPoint: "applied-before-commit")
      #expect(killed.status == .signalled(SIGKILL), "\(killed.output)")
      #expect(throws: ReplayError.self) { try repair.run(fresh) { _ in } }
      #expect(try slot.sql("SELECT keys FROM crossfade.replay") == "1:7")
      #expect(try slot.sql("SELECT count(*) FROM transactions WHERE id <= 90 AND state_id = 2") == "0")
      // This one would go on; another takes its place.
      #expect(
        try slot.replay(
          "--from", "earliest", "--apply", "--yes", "--restart", "--batch", "10",
          failPoint: "committed-before-confirm:2"
        ).status == .signalled(SIGKILL))
      let resumed = try repair.standing(asked, restart: false)
      #expect(resumed.isResumed)
      let placed = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--restart", "--key", "7",
        failPoint: "applied-before-commit")
      #expect(placed.status == .signalled(SIGKILL), "\(placed.output)")
      #expect(throws: ReplayError.self) { try repair.run(resumed) { _ in } }
      #expect(try slot.sql("SELECT keys FROM crossfade.replay") == "1:7")
      // Nobody else's: --restart by one who saw it takes it.
      let own = try repair.standing(asked, restart: true)
      #expect(try repair.run(own) { _ in }.finished)
    }

    @Test("retention keeps what it still has to read: a reader of its own, until it is done")
    func held() throws {
      let slot = try broken("replay_held")
      let file = slot.log + "/readers/replay"
      let process = try ChildProcess(
        [try CrossfadeBinary.path(), "replay", slot.path, "--from", "earliest", "--apply", "--yes"]
          + ["--batch", "10", "--rate", "8"],
        environment: slot.environment, output: .file(slot.directory + "/out"),
        errors: .file(slot.directory + "/err"))
      func position() -> String? {
        (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n")
          .first { $0.hasPrefix("position ") }.map(String.init)
      }
      try #require(eventually(within: .seconds(20)) { position() != nil })
      let first = try #require(position())
      #expect(eventually(within: .seconds(20)) { position() != first })
      #expect(process.stop(SIGTERM, grace: .seconds(20)) == .exited(75))
      // Unfinished: the same command must be able to go on.
      let listed = try slot.crossfade("log", "readers")
      #expect(listed.output.contains("replay"), "\(listed.output)")
      let done = try apply(slot)
      #expect(done.status == .exited(0), "\(done.output)")
      #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("done is said when it is durable: the last commit waits for its flush")
    func durable() throws {
      let slot = try broken("replay_durable")
      #expect(
        try slot.replay("--from", "earliest", "--apply", "--yes", "--key", "7").status == .exited(0))
      try slot.sql(
        """
        CREATE TABLE seen (n serial, setting text);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO public.seen (setting) VALUES (current_setting('synchronous_commit')); RETURN new; END $$;
        CREATE TRIGGER see AFTER UPDATE ON crossfade.replay FOR EACH ROW EXECUTE FUNCTION see()
        """)
      #expect(try apply(slot).status == .exited(0))
      let seen = try slot.sql("SELECT string_agg(setting, ' ' ORDER BY n) FROM seen") ?? ""
      #expect(seen.hasPrefix("off off ") && seen.hasSuffix(" off on"), "\(seen)")
    }
  }
}
