import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Transactions that arrive before they commit, spooled, spliced, prepared: and the process dies in the middle.
  @Suite("The process is killed while transactions are streamed", .timeLimit(.minutes(10)))
  struct StreamedCrashTests {
    static let kills = 48
    static let points = ["spooled", "splicing", "logged-before-sync", "synced-before-confirm", "prepared"]

    @Test("after every kill the log holds each transaction once, in order, and every row its state")
    func matrix() async throws {
      let cluster = try LedgerFixture.streamingCluster.get()
      let major = LedgerFixture.major
      let twoPhase = major >= 15
      let seed = Seed.draw(for: "streamed")
      let ledger = try LedgerFixture("streamed", rows: 500, on: cluster) {
        $0.stream = ["streaming: \(major >= 14)", "two_phase: \(twoPhase)"]
      }
      let first = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed, perSecond: 100))
      let bulk = BulkTraffic(conninfo: ledger.conninfo)
      workload.start()
      bulk.start(seed: seed)
      try ledger.backfill()
      first.kill()

      var generator = SeededGenerator(seed: seed)
      // Before 14 nothing is streamed, and before 15 nothing prepared is sent before it commits.
      let points = Self.points.filter { point in
        switch point {
        case "spooled", "splicing": major >= 14
        case "prepared": twoPhase
        default: true
        }
      }
      for number in 0..<Self.kills {
        let point = points[(number / 2) % points.count]
        let pass = Int.random(in: 1...(point == "prepared" ? 2 : 6), using: &generator)
        if number % 2 == 0 {
          let process = try ledger.start()
          usleep(UInt32.random(in: 50...1500, using: &generator) * 1000)
          try #require(process.kill() == .signalled(SIGKILL), "\(process.outputTail)")
        } else {
          let process = try ledger.start(failPoint: "\(point):\(pass)")
          let ended = process.wait(within: .seconds(60))
          try #require(ended == .signalled(SIGKILL), "\(point):\(pass): \(process.outputTail)")
        }
      }

      let last = try ledger.start()
      try ledger.awaitStream(last)
      let counts = try await bulk.stop()
      let tally = workload.stop()
      #expect(tally.errors == [:])
      try ledger.awaitCaughtUp(last)
      #expect(last.stop() == .exited(0), "\(last.outputTail)")
      print("streamed: \(Self.kills) kills, \(counts) bulk transactions, \(tally.committed) others")
      #expect(counts.count == BulkTraffic.Kind.allCases.count)
      try ledger.expectExact(seed: seed)
    }

  }
}
