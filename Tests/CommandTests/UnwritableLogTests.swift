import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Postgres
import Testing

extension CommandTests {
  @Suite("crossfade run, whose log cannot be written", .serialized) struct UnwritableLog {
    @Test("it ends with 74 and the reason, has confirmed no more than it holds, and goes on without loss")
    func limited() throws {
      let slot = try LedgerSlot.running("log_unwritable")
      try slot.stop()
      let errors = slot.directory + "/limited.log"
      // No file may grow past 24 KiB: a write that fails for good, as on a broken disk.
      let process = try ChildProcess(
        ["bash", "-c", "ulimit -f 24; exec '\(try CrossfadeBinary.path())' run '\(slot.path)'"],
        environment: slot.environment, output: .file(errors), errors: .file(errors))
      defer { process.stop(SIGKILL) }
      let session = try slot.connect()
      var rounds = 0
      let ended = try eventually(within: .seconds(60)) {
        let status = ["AUTH", "CAPTURED", "Settled", "DECLINED"][rounds % 4]
        try session.query(
          "UPDATE transactions SET status = $1", [.text(status)], purpose: "change all rows")
        rounds += 1
        return !process.isRunning
      }
      try #require(ended)
      #expect(process.wait(for: .seconds(10)) == .exited(74))
      let said = try String(contentsOfFile: errors, encoding: .utf8)
      #expect(
        said.contains("crossfade: write \(try slot.segment()): File too large\n  hint: "), "\(said)")
      let bounds = try #require(try LogSource(directory: slot.log).bounds())
      let confirmed = try slot.sql(
        "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'log_unwritable'")
      #expect(try #require(confirmed.flatMap { LSN($0) }) <= (bounds.watermark ?? .invalid))
      #expect(try slot.crossfade("log", "verify").status == .exited(0))

      try slot.start()
      try slot.awaitApplied()
      try slot.stop()
      let logged = try LogVerifier.verify(directory: slot.log)
      #expect(logged.problems == [])
      #expect(logged.counts.changes == UInt64(rounds * 100 + 2), "\(rounds) rounds")
      #expect(
        try slot.sql(
          """
          SELECT count(*) FROM transactions t WHERE t.state_id IS DISTINCT FROM
            (SELECT s.id FROM transaction_state s WHERE s.legacy_status = t.status)
          """) == "0")
    }
  }
}
