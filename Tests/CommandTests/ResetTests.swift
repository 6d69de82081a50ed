import Foundation
import LocalCluster
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade reset", .serialized) struct Reset {
    @Test("it refuses beside run, says what it would do, does it, and capture begins anew")
    func course() throws {
      let slot = try LedgerSlot("reset_course")
      try #require(try slot.crossfade("expand").status == .exited(0))
      #expect(try slot.crossfade("reset").output.hasPrefix("nothing to reset"))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 1")
      try #require(try slot.await("SELECT state_id = 3 FROM transactions WHERE id = 1"))
      let beside = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(beside.status == .exited(3))
      #expect(beside.output.contains("is being read by server process"), "\(beside.output)")
      try slot.stop()
      // Somebody reads on behind our back: the slot is past what the log holds.
      try slot.sql("UPDATE transactions SET status = 'EXPIRED' WHERE id = 2")
      try slot.sql("SELECT pg_replication_slot_advance('reset_course', pg_current_wal_lsn())")
      let refused = try slot.crossfade("run")
      #expect(refused.status == .exited(3), "\(refused.output)")

      let would = try slot.crossfade("reset")
      #expect(would.status == .exited(3))
      #expect(
        would.output.hasPrefix(
          "would do, with --accept-gap:\n  rename \(slot.log) to \(slot.log).abandoned-0"))
      #expect(would.output.contains("the gap: everything committed after 0/"))
      #expect(FileManager.default.fileExists(atPath: slot.log))
      #expect(try slot.sql("SELECT count(*) FROM crossfade.checkpoint") == "1")

      let done = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(done.status == .exited(0), "\(done.output)")
      #expect(!FileManager.default.fileExists(atPath: slot.log))
      let kept = try FileManager.default.contentsOfDirectory(atPath: slot.directory).filter {
        $0.contains("abandoned")
      }
      #expect(kept.count == 1)
      #expect(try slot.sql("SELECT count(*) FROM crossfade.checkpoint") == "0")

      try slot.start()
      #expect(try slot.crossfade("backfill").status == .exited(0))
      let verify = try slot.crossfade("verify")
      #expect(verify.status == .exited(0), "\(verify.output)")
      #expect(try slot.sql("SELECT state_id FROM transactions WHERE id = 2") == "8")
      try slot.stop()
    }

    @Test("--drop-slot drops it, and a lost slot asks for it")
    func drop() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      configuration.settings = [
        "max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB", "min_wal_size": "32MB",
      ]
      let slot = try LedgerSlot("reset_drop", on: try Cluster.running(configuration))
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.stop()
      for _ in 0..<6 {
        for statement in ["SELECT pg_switch_wal()", "CREATE TABLE t (); DROP TABLE t", "CHECKPOINT"] {
          try slot.sql(statement)
        }
      }
      try #require(try slot.sql("SELECT wal_status FROM pg_replication_slots") == "lost")
      let check = try slot.crossfade("check")
      #expect(check.output.contains("fail  position"), "\(check.output)")
      let status = try slot.crossfade("status")
      #expect(status.output.hasPrefix("reset_drop: the slot is lost"), "\(status.output)")
      let kept = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(kept.status == .exited(3))
      #expect(kept.output.contains("hint: add --drop-slot"))
      let done = try slot.crossfade("reset", more: ["--accept-gap", "--drop-slot"])
      #expect(done.status == .exited(0), "\(done.output)")
      #expect(try slot.sql("SELECT count(*) FROM pg_replication_slots") == "0")
      try slot.start()
      try slot.stop()
    }

    @Test("after a cutover it says what comes before the backfill, and that works")
    func afterCutover() throws {
      let slot = try LedgerSlot("reset_both")
      func done(_ command: String...) throws {
        let run = try slot.crossfade(command[0], more: Array(command.dropFirst()))
        #expect(run.status == .exited(0), "\(command): \(run.output)")
      }
      try done("expand")
      try slot.start()
      for command in ["backfill", "constrain", "verify"] { try done(command) }
      try done("cutover", "--confirm", "public.transactions.state_id")
      try slot.stop()
      try slot.sql("UPDATE transactions SET state_id = 1 + state_id % 8 WHERE id IN (1, 2)")
      let reset = try slot.crossfade("reset", more: ["--accept-gap", "--drop-slot"])
      #expect(reset.status == .exited(0))
      #expect(
        reset.output.contains("\n  crossfade cutover SLOT --back --forward-only\n"), "\(reset.output)")
      try slot.start()
      #expect(try slot.crossfade("backfill").status == .exited(3))
      let verify = try slot.crossfade("verify", more: ["--restart"])
      #expect(verify.output.contains("\"1\"") && verify.output.contains("\"2\""), "\(verify.output)")
      try slot.sql(
        """
        UPDATE transactions AS t SET status = m.legacy_status FROM transaction_state AS m
         WHERE m.id = t.state_id AND t.id = 1
        """)
      var output = ""
      let isBack = try eventually(within: .seconds(30)) {
        let back = try slot.crossfade(
          "cutover",
          more: ["--back", "--forward-only", "--quiet", "1s", "--confirm", "public.transactions.status"])
        output = back.output
        return back.status == .exited(0)
      }
      #expect(isBack, "\(output)")
      try done("backfill")
      try done("verify")
      // One was written to the old column too, the other is what the old one says.
      #expect(
        try slot.sql(
          "SELECT string_agg((status = m.legacy_status)::text, ' ') FROM transactions t JOIN transaction_state m ON m.id = t.state_id WHERE t.id IN (1, 2)"
        ) == "true true")
      try slot.stop()
    }

    @Test("a log that is being written is refused, even when nobody reads the slot")
    func locked() throws {
      let slot = try LedgerSlot("reset_locked")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.stop()
      let holder = try ChildProcess(["flock", slot.log + "/lock", "sleep", "60"], newGroup: true)
      defer { holder.killGroup(SIGKILL) }
      let isHeld = try eventually(within: .seconds(10)) {
        try !ChildProcess.run(["flock", "-n", slot.log + "/lock", "true"]).status.isSuccess
      }
      try #require(isHeld)
      let run = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(run.status == .exited(3))
      #expect(run.output.contains("is being written by process"), "\(run.output)")
      #expect(run.output.contains("hint: stop `crossfade run` first"), "\(run.output)")
      #expect(try slot.sql("SELECT count(*) FROM crossfade.checkpoint") == "1")
    }

    @Test("a slot that is being applied is refused, and nothing is forgotten")
    func applied() throws {
      let slot = try LedgerSlot("reset_applied")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.stop()
      let applier = try slot.connect()
      try applier.query(
        "SELECT pg_advisory_lock(hashtext('crossfade'), hashtext('reset_applied'))",
        purpose: "hold the slot's lock")
      let run = try slot.crossfade("reset", more: ["--accept-gap", "--drop-slot"])
      #expect(run.status == .exited(3))
      #expect(run.output.contains("slot reset_applied is being applied by another process"), "\(run.output)")
      #expect(FileManager.default.fileExists(atPath: slot.log))
      #expect(try slot.sql("SELECT count(*) FROM crossfade.checkpoint") == "1")
      withExtendedLifetime(applier) {}
    }

    @Test("a replay that is not finished is forgotten with the log it reads; one at work is refused")
    func replayed() throws {
      let slot = try LedgerSlot.running("reset_replayed")
      for id in 1...30 { try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id = \(id)") }
      try slot.awaitApplied()
      try slot.stop()
      try slot.sql("UPDATE transactions SET state_id = NULL WHERE id <= 30")
      let killed = try slot.replay(
        "--from", "earliest", "--apply", "--yes", "--batch", "10", failPoint: "committed-before-confirm:2")
      try #require(killed.status == .signalled(SIGKILL), "\(killed.output)")
      let replayer = try slot.connect()
      try replayer.query(
        "SELECT pg_advisory_lock(hashtext('crossfade replay'), hashtext('reset_replayed'))",
        purpose: "hold the replay's lock")
      let beside = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(beside.status == .exited(3), "\(beside.output)")
      #expect(
        beside.output.contains("slot reset_replayed is being repaired by `crossfade replay --apply`"),
        "\(beside.output)")
      #expect(FileManager.default.fileExists(atPath: slot.log))
      #expect(try slot.sql("SELECT count(*) FROM crossfade.checkpoint") == "1")
      #expect(try slot.sql("SELECT count(*) FROM crossfade.replay") == "1")
      try replayer.query("SELECT pg_advisory_unlock_all()", purpose: "let the replay's lock go")
      let done = try slot.crossfade("reset", more: ["--accept-gap"])
      #expect(done.status == .exited(0), "\(done.output)")
      #expect(
        done.output.contains("\n  forget the unfinished replay --apply, which has come to 0/"),
        "\(done.output)")
      #expect(try slot.sql("SELECT count(*) FROM crossfade.replay") == "0")
    }
  }
}
