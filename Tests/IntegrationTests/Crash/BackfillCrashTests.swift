import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The rows that were there before: each page commits with its progress.
  @Suite("The backfill is killed", .timeLimit(.minutes(5))) struct BackfillCrashTests {
    private static let rows = 20_000

    @Test("it goes on where it was, never back, and leaves every row its state, under traffic")
    func again() throws {
      let seed = Seed.draw(for: "backfill")
      var generator = SeededGenerator(seed: seed)
      let ledger = try LedgerFixture("backfill", rows: Self.rows) { $0.backfill = (batch: 100, pause: "5ms") }
      let process = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      var before: Int64 = 0
      var kills = 0
      while true {
        let backfill = try ledger.start("backfill")
        if let ended = backfill.wait(within: .milliseconds(Int.random(in: 50...400, using: &generator))) {
          #expect(ended == .exited(0), "\(backfill.outputTail)")
          break
        }
        backfill.kill()
        kills += 1
        let done = try progress(ledger)
        #expect(done >= before)
        before = done
      }
      print("backfill: \(kills) kills")
      #expect(kills >= 3)
      #expect(try progress(ledger) >= Int64(Self.rows) / 2)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try ledger.expectExact(seed: seed)
    }

    private func progress(_ ledger: LedgerFixture) throws -> Int64 {
      try ledger.connect().query(
        "SELECT coalesce(sum(rows), 0) FROM crossfade.backfill WHERE slot = $1", [.text(ledger.slot)],
        purpose: "read the progress"
      ).integer(0, 0) ?? 0
    }
  }
}
