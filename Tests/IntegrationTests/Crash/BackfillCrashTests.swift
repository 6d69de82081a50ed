import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The rows that were there before: each page commits with its progress.
  @Suite("The backfill is killed", .timeLimit(.minutes(5))) struct BackfillCrashTests {
    private static let rows = 20_000
    private static let batch: Int64 = 100
    private static let kills = 20

    @Test("it goes on where it was, never back, and leaves every row its state, under traffic")
    func again() throws {
      let seed = Seed.draw(for: "backfill")
      var generator = SeededGenerator(seed: seed)
      let ledger = try LedgerFixture("backfill", rows: Self.rows) {
        $0.backfill = (batch: 100, pause: "15ms")
      }
      let process = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      var before: Int64 = 0
      var kills = 0
      while true {
        let backfill = try ledger.start("backfill")
        if kills < Self.kills {
          try awaitRow(ledger, after: before, backfill)
          let ended = backfill.wait(within: .milliseconds(Int.random(in: 0...100, using: &generator)))
          try #require(ended == nil, "\(backfill.outputTail)")
          let seen = try account(ledger)
          backfill.kill()
          kills += 1
          let kept = try account(ledger)
          // What was seen committed is never lost; and each commit, seen or not, accounts for all that it looked at.
          #expect(kept.looked >= seen.looked && kept.looked >= before)
          #expect(kept.looked == kept.sum)
          before = kept.looked
        } else {
          #expect(backfill.wait(within: .seconds(120)) == .exited(0), "\(backfill.outputTail)")
          break
        }
      }
      print("backfill: \(kills) kills")
      let done = try account(ledger)
      #expect(done.looked == done.sum && done.looked >= Int64(Self.rows) / 2)
      // Nothing was looked at twice: more than the rows that stood there at the beginning there cannot be.
      #expect(done.looked <= Int64(Self.rows) + Self.batch)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try ledger.expectExact(seed: seed)
    }

    private func awaitRow(_ ledger: LedgerFixture, after: Int64, _ process: CrossfadeProcess) throws {
      try ledger.awaitRow(
        "SELECT coalesce(sum(rows), 0) > \(after) FROM crossfade.backfill WHERE slot = '\(ledger.slot)'",
        process)
    }

    /// Rows looked at, and the sum of what became of them.
    private func account(_ ledger: LedgerFixture) throws -> (looked: Int64, sum: Int64) {
      let rows = try ledger.connect().query(
        """
        SELECT rows, written + same + unmapped + refused + skipped + overtaken FROM crossfade.backfill
         WHERE slot = $1
        """, [.text(ledger.slot)], purpose: "read the account")
      return (rows.integer(0, 0) ?? 0, rows.integer(0, 1) ?? 0)
    }
  }
}
