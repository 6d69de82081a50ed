import ChangeLog
import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// SIGTERM: what was received is logged, confirmed and applied before the process ends.
  @Suite("The process is told to stop", .timeLimit(.minutes(5))) struct StopTests {
    private static let stops = 12

    @Test(
      "orderly ends under traffic answer 0, leave no unfinished bytes, and nothing is lost between two lives")
    func underTraffic() throws {
      let seed = Seed.draw(for: "stops")
      var generator = SeededGenerator(seed: seed)
      let ledger = try LedgerFixture("stops", rows: 200)
      let first = try ledger.expandAndStart()
      try ledger.backfill()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      #expect(first.stop() == .exited(0), "\(first.outputTail)")
      for _ in 0..<Self.stops {
        let process = try ledger.start()
        try ledger.awaitStream(process)
        usleep(UInt32.random(in: 0...400_000, using: &generator))
        #expect(process.stop() == .exited(0), "\(process.outputTail)")
        #expect(try LogVerifier.verify(directory: ledger.logDirectory).unfinishedBytes == 0)
      }
      let last = try ledger.start()
      try ledger.awaitStream(last)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      try ledger.expectExact(seed: seed)
    }

    @Test("a second SIGTERM ends a process at once that waits for a target that does not answer")
    func twice() throws {
      let seed = Seed.draw(for: "hasty")
      let ledger = try LedgerFixture("hasty", rows: 10)
      let first = try ledger.expandAndStart()
      try ledger.backfill()
      #expect(first.stop() == .exited(0), "\(first.outputTail)")

      let process = try ledger.start(failPoint: "applied-before-commit:1:hang")
      try ledger.awaitStream(process)
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      try ledger.awaitHangingTarget(process)
      // The first stops capture: its slot is let go. The dual-write has half a minute to finish.
      #expect(process.stop(within: .seconds(2)) == nil)
      #expect(try ReplicationSlot.find(ledger.slot, on: ledger.connect())?.activePID == nil)
      #expect(process.stop(within: .seconds(2)) == .exited(128 + SIGTERM))

      let last = try ledger.start()
      try ledger.awaitStream(last)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      try ledger.expectExact(seed: seed)
    }
  }
}
