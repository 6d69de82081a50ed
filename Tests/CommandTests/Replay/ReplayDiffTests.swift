import Foundation
import LocalCluster
import Postgres
import Replay
import Testing

extension CommandTests {
  @Suite("crossfade replay --diff", .serialized) struct ReplayDiff {
    private func diff(_ slot: LedgerSlot, _ arguments: String...) throws -> (CapturedRun, [String: String]) {
      let run = try ChildProcess.run(
        [try CrossfadeBinary.path(), "replay", slot.path, "--from", "earliest", "--diff", "--json"]
          + arguments,
        environment: slot.environment, within: .seconds(60))
      var classes: [String: String] = [:]
      for line in try objects(run) {
        if let kind = line["class"] as? String, let key = (line["key"] as? [String])?.first {
          classes[key] = kind
        }
      }
      return (run, classes)
    }

    @Test("each class is found as what it is, and what is right is not")
    func classes() throws {
      let slot = try LedgerSlot.running("replay_classes")
      guard slot.hasMessages else { return }
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id BETWEEN 1 AND 20")
      try slot.sql("DELETE FROM ledger_audit; DELETE FROM transactions WHERE id = 5")
      try slot.sql("UPDATE transactions SET status = 'XXX' WHERE id = 6")
      try slot.awaitApplied()
      let (sound, none) = try diff(slot)
      #expect(none == ["6": "unmapped"] && sound.status == .exited(1), "\(sound.output)")
      try slot.hidden(
        """
        UPDATE transactions SET state_id = NULL WHERE id = 1;
        UPDATE transactions SET state_id = 5 WHERE id = 2;
        UPDATE transactions SET status = 'CAPTURED', state_id = 2 WHERE id = 3;
        DELETE FROM transactions WHERE id = 4;
        INSERT INTO transactions (id, card_token, merchant_id, amount_cents, currency, status)
          OVERRIDING SYSTEM VALUE VALUES (5, 'x', 1, 1, 'EUR', 'AUTH')
        """)
      let (run, classes) = try diff(slot)
      #expect(
        classes == [
          "1": "incomplete", "2": "incorrect", "3": "status", "4": "gone", "5": "risen", "6": "unmapped",
        ], "\(run.output)")
      #expect(run.status == .exited(1))
      let summary = try #require(try objects(run).last?["summary"] as? [String: Any])
      #expect(summary["differences"] as? Int == 6 && summary["undecided"] as? Int == 0)
      // The same by windows of three keys and two suspects: nothing is lost, nothing told twice.
      let (windowed, summed) = try slot.compared(window: 3, suspects: 2)
      #expect(windowed == classes)
      #expect(summed.differences == UInt64(windowed.count) && summed.undecided == 0)
      let (_, some) = try diff(slot, "--key", "3", "--key", "7")
      #expect(some == ["3": "status"])
      let text = try slot.replay("--from", "earliest", "--diff", "--key", "2").output
      #expect(
        text.contains("incorrect  [\"2\"]  ") && text.contains("'AUTH': holds '5', derived 1 (authorized)"))
      // Without the stream nothing is decided: what is not in the log could explain it.
      try slot.stop()
      try slot.sql("SELECT pg_drop_replication_slot('replay_classes')")
      try slot.sql("UPDATE transactions SET status = 'DECLINED' WHERE id = 8")
      let (late, rest) = try diff(slot, "--wait", "1")
      #expect(rest == [:] && late.status == .exited(75), "\(late.output)")
      #expect((try objects(late).last?["summary"] as? [String: Any])?["undecided"] as? Int == 7)
      let (unsure, nothing) = try diff(slot, "--wait", "1", "--key", "8")
      #expect(nothing == [:] && unsure.status == .exited(75), "\(unsure.output)")
    }

    @Test("what a later change explains is no difference; what the dual-write has before it is pending")
    func explained() throws {
      let slot = try LedgerSlot.running("replay_explained")
      try slot.sql("UPDATE transactions SET status = 'AUTH' WHERE id BETWEEN 1 AND 9")
      try slot.awaitApplied()
      let end = try #require(try slot.ends().last)
      try slot.sql("UPDATE transactions SET status = 'CAPTURED' WHERE id BETWEEN 1 AND 4")
      try slot.sql("DELETE FROM ledger_audit; DELETE FROM transactions WHERE id = 3")
      try slot.awaitApplied()
      let (run, classes) = try diff(slot, "--to", end)
      #expect(run.status == .exited(0) && classes == [:], "\(run.output)")
      let summary = try #require(try objects(run).last?["summary"] as? [String: Any])
      #expect(summary["explained"] as? Int == 4)
      // A row that somebody holds: the dual-write waits for it.
      let holder = try slot.connect()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 7")
      try holder.query("BEGIN", purpose: "begin")
      try holder.query("SELECT FROM transactions WHERE id = 7 FOR UPDATE", purpose: "hold a row")
      if try slot.sql("SELECT state_id IS DISTINCT FROM 3 FROM transactions WHERE id = 7") == "t" {
        let (held, pending) = try diff(slot, "--wait", "2", "--key", "7")
        #expect(pending == ["7": "pending"] && held.status == .exited(1), "\(held.output)")
      }
      try holder.query("COMMIT", purpose: "let go")
      try slot.awaitApplied()
      #expect(try diff(slot).0.status == .exited(0))
    }

    @Test("under traffic nothing is reported that is not so")
    func traffic() async throws {
      let slot = try LedgerSlot.running("replay_traffic")
      let writer = slot.traffic(milliseconds: 6000)
      // Capture is held up now and then, so that the target is ahead of the log.
      let process = try #require(slot.running)
      let holding = Worker<Void> {
        let until = Deadline.after(milliseconds: 6000)
        while !until.hasPassed {
          process.kill(SIGSTOP)
          usleep(400_000)
          process.kill(SIGCONT)
          usleep(300_000)
        }
      }
      for _ in 0..<5 {
        let (run, classes) = try diff(slot)
        #expect(run.status == .exited(0) && classes == [:], "\(run.output)")
      }
      #expect(try await writer.value.get() > 100)
      await holding.value
    }
  }
}
