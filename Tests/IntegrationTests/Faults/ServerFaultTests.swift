import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// The server goes away in every way it knows, and comes back. The process stays; nothing is lost or doubled.
  @Suite("The server goes away", .timeLimit(.minutes(10))) struct ServerFaultTests {
    /// A ledger on a durable cluster of its own, with traffic on it and Crossfade beside it.
    private struct Scene {
      let cluster: Cluster
      let ledger: LedgerFixture
      let process: CrossfadeProcess
      let workload: Workload
      let seed: UInt64

      init(_ name: String) throws {
        seed = Seed.draw(for: name)
        cluster = try Cluster.running()
        ledger = try LedgerFixture(name, on: cluster)
        process = try ledger.expandAndStart()
        try ledger.backfill()
        workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
        workload.start()
      }

      /// Waits until the traffic has done so much more.
      func awaitTraffic(_ more: Int = 150) throws {
        let before = workload.tally().committed
        guard eventually(within: .seconds(60), { workload.tally().committed >= before + more }) else {
          throw NeverHappened(what: "traffic", output: process.outputTail)
        }
      }

      /// Ends the traffic, waits until all of it is applied, stops the process and judges.
      func finish() throws {
        let tally = workload.stop()
        #expect(tally.errors == [:])
        try ledger.awaitCaughtUp(process)
        #expect(process.stop() == .exited(0), "\(process.outputTail)")
        try ledger.expectExact(seed: seed)
      }
    }

    @Test("immediate restarts under traffic lose nothing, and the process stays")
    func immediate() throws {
      let scene = try Scene("immediate")
      for round in 0..<4 {
        try scene.awaitTraffic()
        if round % 2 == 0 {
          try scene.cluster.restart(.immediate)
        } else {
          try scene.cluster.kill9()
          try scene.cluster.start()
        }
      }
      try scene.awaitTraffic()
      #expect(scene.process.isRunning)
      try scene.finish()
    }

    @Test("terminated walsenders and dual-write sessions come back under traffic")
    func terminated() throws {
      let scene = try Scene("terminated")
      let session = try scene.ledger.connect()
      for role in ["capture", "dual-write", "capture", "dual-write", "capture"] {
        try scene.awaitTraffic()
        let name = "crossfade \(role) \(scene.ledger.slot)"
        let isEnded = try eventually(within: .seconds(30)) { () throws(PostgresError) -> Bool in
          try session.query(
            "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE application_name = $1",
            [.text(name)], purpose: "terminate a session"
          ).boolean(0, 0)
        }
        #expect(isEnded, "no session \(name)")
      }
      try scene.awaitTraffic()
      try scene.finish()
    }

    @Test("an orderly stop of the server is not held up by an idle consumer")
    func fastStopWhileIdle() throws {
      let scene = try Scene("fast_idle")
      try scene.awaitTraffic()
      #expect(scene.workload.pause())
      try scene.ledger.awaitCaughtUp(scene.process)
      let took = try ContinuousClock().measure { try scene.cluster.stop(.fast, within: .seconds(30)) }
      #expect(took < .seconds(5))
      try scene.cluster.start()
      scene.workload.resume()
      try scene.awaitTraffic()
      try scene.finish()
    }

    @Test("an orderly stop of the server is not held up by a busy consumer, and the slot survives")
    func fastStopWhileBusy() throws {
      let scene = try Scene("fast_busy")
      for _ in 0..<3 {
        try scene.awaitTraffic()
        let took = try ContinuousClock().measure { try scene.cluster.stop(.fast, within: .seconds(30)) }
        #expect(took < .seconds(5))
        try scene.cluster.start()
        let slot = try ReplicationSlot.find(scene.ledger.slot, on: scene.ledger.connect())
        #expect(slot?.isLost == false)
      }
      try scene.awaitTraffic()
      try scene.finish()
    }
  }
}
