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

    /// And so many more with `confirm: applied`, as a role that marks its writes by a message.
    static let killsOfPlainRole = 20

    @Test(
      "after every kill under traffic the log holds each transaction once, in order, and every row its state")
    func matrix() throws {
      let ledger = try LedgerFixture("crash", rows: 2000)
      try ledger.expand()
      try survive(ledger, kills: Self.kills)
    }

    @Test("so it is where a plain role confirms only what it has applied")
    func plainRole() throws {
      let ledger = try LedgerFixture("crash_plain", rows: 500, user: "cf_crash_plain") {
        $0.confirm = "applied"
      }
      try ledger.expand()
      try ledger.makePlainRole()
      try survive(ledger, kills: Self.killsOfPlainRole)
    }

    private func survive(_ ledger: LedgerFixture, kills: Int) throws {
      let seed = Seed.draw(for: ledger.database)
      let first = try ledger.start()
      try ledger.awaitStream(first)
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      try ledger.backfill()
      first.kill()

      var deaths: [String: Int] = [:]
      for death in Death.schedule(kills: kills, seed: seed) {
        try die(death, beside: ledger)
        deaths[death.kind, default: 0] += 1
      }

      let last = try ledger.start()
      try ledger.awaitStream(last)
      let tally = workload.stop()
      #expect(tally.errors == [:])
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      print("\(ledger.database): \(kills) kills \(deaths), \(tally.committed) transactions")
      try ledger.expectExact(seed: seed)
      #expect(deaths.values.reduce(0, +) == kills)
    }

    /// One life. What ends otherwise than by the kill ends the test: each of the rest would wait in vain too.
    private func die(_ death: Death, beside ledger: LedgerFixture) throws {
      let process: CrossfadeProcess
      let ended: ProcessStatus?
      switch death {
      case .random(let milliseconds):
        process = try ledger.start()
        usleep(UInt32(milliseconds) * 1000)
        ended = process.kill()
      case .failPoint(let name, let pass):
        process = try ledger.start(failPoint: "\(name):\(pass)")
        // Under traffic each point is passed many times a second.
        ended = process.wait(within: .seconds(60))
      }
      try #require(ended == .signalled(SIGKILL), "\(death): \(process.outputTail)")
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
