import Glibc
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// A thread hangs at one of the named points, as it does when a disk or a server does not answer. Nothing may be
  /// confirmed past what was durable then, the server must go on hearing from us, and the kill that ends it loses
  /// nothing.
  @Suite("A disk or the target does not answer", .timeLimit(.minutes(5))) struct HangTests {
    /// How long a hang is watched. Longer than the server's patience below: a consumer that is silent is cut off.
    private static let hang = Duration.seconds(4)

    private static let cluster = Result {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      configuration.settings["wal_sender_timeout"] = "2s"
      return try Cluster.running(configuration)
    }

    private struct Slot: Equatable {
      var confirmed: LSN
      var reader: Int32?

      init(_ ledger: LedgerFixture, _ session: Connection) throws(PostgresError) {
        let slot = try ReplicationSlot.find(ledger.slot, on: session)
        confirmed = slot?.confirmedFlushLSN ?? .invalid
        reader = slot?.activePID
      }
    }

    @Test(
      "a hanging log confirms nothing more, answers the server all the same, and loses nothing when it is killed",
      arguments: ["received", "logged-before-sync", "synced-before-confirm"])
    func log(point: String) throws {
      let seed = Seed.draw(for: point)
      let name = "hang_" + point.prefix { $0 != "-" }
      let ledger = try LedgerFixture(name, on: Self.cluster.get())
      try begin(ledger)

      let process = try ledger.start(failPoint: "\(point):20:hang")
      try ledger.awaitStream(process)
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      let logged = try awaitHang(ledger, process)
      let session = try ledger.connect()
      let first = try Slot(ledger, session)
      let end = ContinuousClock.now + Self.hang
      var last = first
      while ContinuousClock.now < end, last.reader == first.reader, last.confirmed <= logged {
        usleep(20_000)
        last = try Slot(ledger, session)
      }
      #expect(last.confirmed <= logged)
      #expect(last.reader == first.reader, "the server has given up on us: \(process.outputTail)")
      #expect(process.kill() == .signalled(SIGKILL))

      try finish(ledger, workload, seed: seed)
    }

    /// Runs once in good health, so that slot, log and every row's state are there.
    private func begin(_ ledger: LedgerFixture) throws {
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    /// Runs in good health until all is applied, and judges.
    private func finish(_ ledger: LedgerFixture, _ workload: Workload, seed: UInt64) throws {
      let process = try ledger.start()
      try ledger.awaitStream(process)
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try ledger.expectExact(seed: seed)
    }

    /// Waits until the log stands still while more is received; gives where it stands.
    private func awaitHang(_ ledger: LedgerFixture, _ process: CrossfadeProcess) throws -> LSN {
      var seen: [String: LiveStatusFile.Capture] = [:]
      var stands: LSN?
      let hangs = eventually(within: .seconds(30)) {
        guard let status = LiveStatusFile.read(ledger.logDirectory), status.pid == process.pid else {
          return false
        }
        seen[status.writtenAt] = status.capture
        let same = seen.values.filter { $0.logged == status.capture.logged }
        stands = LSN(status.capture.logged)
        return same.count >= 3 && Set(same.map(\.received)).count >= 2
      }
      guard hangs, let stands else { throw NeverHappened(what: "a hanging log", output: process.outputTail) }
      return stands
    }

    @Test(
      "a hanging target does not keep the slot from being confirmed, unless it is asked to",
      arguments: [
        "logged", "applied",
      ])
    func target(confirm: String) throws {
      let seed = Seed.draw(for: "target, confirm: \(confirm)")
      let ledger = try LedgerFixture("hang_target_\(confirm)", on: Self.cluster.get()) {
        $0.confirm = confirm
      }
      try begin(ledger)

      let process = try ledger.start(failPoint: "applied-before-commit:5:hang")
      try ledger.awaitStream(process)
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed))
      workload.start()
      try ledger.awaitHangingTarget(process)
      let session = try ledger.connect()
      let checkpoint = try session.query(
        "SELECT end_lsn, pg_current_wal_flush_lsn() FROM crossfade.checkpoint WHERE slot = $1",
        [.text(ledger.slot)],
        purpose: "read the checkpoint")
      let applied = try #require(checkpoint[0].flatMap { LSN($0) })
      let written = try #require(checkpoint[1].flatMap { LSN($0) })
      let passes = try eventually(within: .seconds(confirm == "logged" ? 20 : 4)) {
        () throws(PostgresError) -> Bool in
        try Slot(ledger, session).confirmed >= written
      }
      #expect(passes == (confirm == "logged"))
      if confirm == "applied" { #expect(try Slot(ledger, session).confirmed <= applied) }
      #expect(process.kill() == .signalled(SIGKILL))

      try finish(ledger, workload, seed: seed)
    }
  }
}
