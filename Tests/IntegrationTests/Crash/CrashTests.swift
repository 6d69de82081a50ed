import ChangeLog
import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The process is killed again and again under traffic. Neither a lost nor a doubled change may come of it.
  @Suite("The process is killed", .timeLimit(.minutes(10))) struct CrashTests {
    /// Half of them at random moments, half at the five named fail points.
    static let kills = 110

    @Test(
      "after every kill under traffic the log holds each transaction once, in order, and every row its state")
    func matrix() throws {
      let seed = Seed.draw(for: "crash matrix")
      let ledger = try LedgerFixture("crash", rows: 2000)
      let first = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      try ledger.backfill()
      first.kill()

      var deaths: [String: Int] = [:]
      for death in Death.schedule(kills: Self.kills, seed: seed) {
        try die(death, beside: ledger)
        deaths[death.kind, default: 0] += 1
      }

      let last = try ledger.start()
      try ledger.awaitStream(last)
      let tally = workload.stop()
      #expect(tally.errors == [:])
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      print("crash matrix: \(Self.kills) kills \(deaths), \(tally.committed) transactions")
      try ledger.expectExact(seed: seed)
      #expect(deaths.values.reduce(0, +) == Self.kills)
    }

    private func die(_ death: Death, beside ledger: LedgerFixture) throws {
      switch death {
      case .random(let milliseconds):
        let process = try ledger.start()
        usleep(UInt32(milliseconds) * 1000)
        #expect(process.isRunning, "before the kill \(death): \(process.outputTail)")
        #expect(process.kill() == .signalled(SIGKILL))
      case .failPoint(let name, let pass):
        let process = try ledger.start(failPoint: "\(name):\(pass)")
        // Under traffic each point is passed many times a second.
        let ended = process.wait(within: .seconds(60))
        #expect(ended == .signalled(SIGKILL), "\(death): \(process.outputTail)")
      }
    }
  }
}

extension Death {
  /// For counting.
  fileprivate var kind: String {
    switch self {
    case .random: "random"
    case .failPoint(let name, _): name
    }
  }
}
