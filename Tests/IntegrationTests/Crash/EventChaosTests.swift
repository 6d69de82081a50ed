import Glibc
import LocalCluster
import Postgres
import Testing

extension Integration {
  /// Subscribers come, go and die under traffic, while the process that serves them is killed again and again.
  @Suite("Subscribers and their server die", .timeLimit(.minutes(5))) struct EventChaosTests {
    @Test("each of them sees every committed change once, in order, by the ledger's own audit")
    func chaos() throws {
      let port = try LoopbackPort.free()
      let ledger = try LedgerFixture("events_chaos", rows: 500) {
        $0.more = ["serve:", "  listen: 127.0.0.1:\(port)"]
      }
      let seed = Seed.draw(for: ledger.database)
      var process = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      let clients = (0..<4).map { EventClient(port: Int(port), number: $0, directory: ledger.scratch.path) }
      for client in clients { client.start() }
      let kills = 12
      for _ in 0..<kills {
        usleep(UInt32.random(in: 300_000...1_500_000))
        process.kill()
        process = try ledger.start()
        try ledger.awaitStream(process)
      }
      let tally = workload.stop()
      #expect(tally.errors == [:])
      try ledger.awaitCaughtUp(process)
      for client in clients { client.finish() }
      let audit = try AuditedHistory(ledger.connect())
      for client in clients {
        #expect(client.faults == [])
        let events = client.events
        #expect(zip(events, events.dropFirst()).allSatisfy { ($0.end, $0.ordinal) < ($1.end, $1.ordinal) })
        let verdict = ExactlyOnce(log: client.history, audit: audit)
        #expect(verdict.findings == [], "\(verdict)")
        #expect(client.repeated > 0 && client.lives > 5)
      }
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      print(
        "\(ledger.database): \(kills) kills, \(tally.committed) transactions, "
          + "\(clients.map { "\($0.events.count) events in \($0.lives) lives, \($0.repeated) twice" })")
    }
  }
}
