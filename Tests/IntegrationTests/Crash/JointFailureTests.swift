import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Server and process fall together, in every order.
  @Suite("Server and process fall together", .timeLimit(.minutes(5))) struct JointFailureTests {
    private static let rounds = 8

    @Test("whoever falls first and whoever is back first, nothing is lost or doubled")
    func together() throws {
      let seed = Seed.draw(for: "joint")
      var generator = SeededGenerator(seed: seed)
      // A server that is killed leaves the page cache as it is: what it wrote is there, synced or not.
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let cluster = try Cluster.running(configuration)
      let ledger = try LedgerFixture("joint", rows: 200, on: cluster)
      var process = try ledger.expandAndStart()
      try ledger.backfill()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      for round in 0..<Self.rounds {
        let before = workload.tally().committed
        #expect(eventually(within: .seconds(60)) { workload.tally().committed > before + 100 })
        usleep(UInt32.random(in: 0...300_000, using: &generator))
        switch round % 4 {
        case 0:
          process.kill()
          try cluster.kill9()
          try cluster.start()
          process = try ledger.start()
        case 1:
          try cluster.kill9()
          process.kill()
          process = try ledger.start()
          usleep(UInt32.random(in: 0...400_000, using: &generator))
          try cluster.start()
        case 2:
          try cluster.stop(.immediate)
          process.kill()
          try cluster.start()
          process = try ledger.start()
        default:
          process.kill()
          process = try ledger.start()
          usleep(UInt32.random(in: 0...400_000, using: &generator))
          try cluster.restart(.immediate)
        }
      }
      try ledger.awaitStream(process)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try ledger.expectExact(seed: seed)
    }
  }
}
