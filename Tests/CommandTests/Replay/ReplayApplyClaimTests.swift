import ChangeLog
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
  }
}
