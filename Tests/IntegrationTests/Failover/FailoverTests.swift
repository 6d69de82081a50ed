import ChangeLog
import Foundation
import Glibc
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  /// The primary dies and a standby is promoted: Crossfade goes on there when it lost nothing, and refuses with the
  /// reason and the way back when it cannot know.
  @Suite("A failover", .timeLimit(.minutes(10))) struct FailoverTests {
    private static let gap =
      "nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` (keeps the old log "
      + "aside, forgets the checkpoint), then `crossfade run`, then `crossfade backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)"

    private func timeline(_ ledger: LedgerFixture) throws -> UInt32? {
      try ChangeLogWriter.inspect(directory: ledger.logDirectory)?.origin.timeline
    }

    @Test(
      "with a synchronized slot the running process goes on under traffic, nothing lost, nothing doubled",
      arguments: [17, 18])
    func synchronized(major: Int) throws {
      let scene = try FailoverScene("failover_\(major)", on: installation(ofMajor: major), isGuarded: true)
      let ledger = scene.ledger
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      let checked = try ledger.command("check")
      #expect(
        checked.output.contains("is synchronized to standbys, and sends what standby already has"),
        "\(checked.output)")
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: scene.seed))
      workload.start()
      try scene.await(of: workload, process)
      try scene.awaitSynchronizedSlot(process)
      try scene.await(of: workload, process)
      try scene.failOver()
      try scene.await(of: workload, process)
      _ = workload.stop()
      try ledger.awaitCaughtUp(process)
      #expect(process.isRunning)
      #expect(process.output.contains("the server was promoted; the log goes on in a new segment"))
      #expect(try timeline(ledger) == 2)

      // A start after the promotion finds its place as well.
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      let again = try ledger.start()
      try ledger.awaitStream(again)
      try ledger.awaitCaughtUp(again)
      #expect(again.stop() == .exited(0), "\(again.outputTail)")
      try ledger.expectExact(seed: scene.seed)
    }

    @Test("a start after the promotion finds its place with a synchronized slot", arguments: [17, 18])
    func startAfterwards(major: Int) throws {
      let scene = try FailoverScene(
        "failover_start_\(major)", on: installation(ofMajor: major), isGuarded: true)
      let ledger = scene.ledger
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      try scene.awaitSynchronizedSlot(process)
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try scene.failOver()
      let again = try ledger.start()
      try ledger.awaitStream(again)
      try ledger.backfill()
      try ledger.awaitCaughtUp(again)
      #expect(again.stop() == .exited(0), "\(again.outputTail)")
      #expect(try timeline(ledger) == 2)
      try ledger.expectExact(seed: scene.seed)
    }

    @Test("without the slot it is refused, by the running process too, and the way back leads on")
    func notSynchronized() throws {
      let scene = try FailoverScene("failover_none", on: nil, isGuarded: false)
      let ledger = scene.ledger
      let canSynchronize = scene.primary.installation.majorVersion >= 17
      if canSynchronize { try scene.standby.configure(["sync_replication_slots": "off"]) }
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      #expect(try scene.standby.hasReplayed(scene.primary))
      try scene.failOver()
      #expect(process.wait(within: .seconds(90)) == .exited(3), "\(process.outputTail)")

      let held = try #require(try ChangeLogWriter.inspect(directory: ledger.logDirectory)).watermark
      let nextTime =
        canSynchronize
        ? ". For the next time: slots made with failover (the default), and on each standby sync_replication_slots, "
          + "hot_standby_feedback and primary_slot_name; `crossfade check` looks at it"
        : ". PostgreSQL synchronizes slots to standbys from 17 on"
      let summary =
        "this server was promoted to timeline 2, and replication slot \(ledger.slot) was not on it: what was committed "
        + "after the change log's end at \(held) may be lost"
      #expect(process.output.hasSuffix("crossfade: \(summary)\n  hint: \(Self.gap)\(nextTime)\n"))
      let run = try ledger.command("run", ["--log-level", "critical"])
      #expect(run.output == "crossfade: \(summary)\n  hint: \(Self.gap)\(nextTime)\n")
      let checked = try ledger.command("check")
      #expect(checked.output.contains("fail  position               \(summary)"), "\(checked.output)")

      try wayBack(ledger)
      #expect(try timeline(ledger) == 2)
    }

    private func wayBack(_ ledger: LedgerFixture) throws {
      let reset = try ledger.command("reset", ["--accept-gap", "--drop-slot"])
      #expect(reset.status == .exited(0), "\(reset.output)")
      let again = try ledger.start()
      try ledger.awaitStream(again)
      try ledger.backfill()
      try ledger.awaitCaughtUp(again)
      #expect(again.stop() == .exited(0), "\(again.outputTail)")
      let verified = try ledger.command("verify")
      #expect(verified.status == .exited(0), "\(verified.output)")
    }

    @Test(
      "a standby that did not have what the log holds is refused, though its slot may be there",
      arguments: [(15, false), (15, true), (17, false)])
    func diverged(major: Int, whileRunning: Bool) throws {
      let scene = try FailoverScene(
        "failover_diverged_\(major)\(whileRunning ? "_live" : "")", on: installation(ofMajor: major),
        isGuarded: false)
      let ledger = scene.ledger
      let process = try ledger.expandAndStart()
      try ledger.awaitCaughtUp(process)
      if major >= 17 { try scene.awaitSynchronizedSlot(process) }
      try scene.standby.stop()
      // What the standby never gets, the log has.
      try ledger.awaitCaughtUp(process)
      if !whileRunning { #expect(process.stop() == .exited(0), "\(process.outputTail)") }
      try scene.primary.kill9()
      try scene.standby.start()
      try scene.standby.promote()
      // The dual-write finds transactions in the log that the new primary will never show, and gives up in the end.
      if whileRunning { #expect(process.wait(within: .seconds(90)) == .exited(3), "\(process.outputTail)") }
      let held = try #require(try ChangeLogWriter.inspect(directory: ledger.logDirectory)).watermark
      let run = try ledger.command("run", ["--log-level", "critical"])
      #expect(run.status == .exited(3))
      #expect(
        run.output.hasPrefix("crossfade: this server was promoted to timeline 2 and left timeline 1 at "))
      #expect(
        run.output.hasSuffix(
          ", but the change log holds everything up to \(held): what lies between was lost with the old primary\n"
            + "  hint: \(Self.gap). What readers of the log got past that point never happened. To prevent it: "
            + "failover slots and synchronized_standby_slots (PostgreSQL 17 and later)\n"), "\(run.output)")
      if whileRunning { #expect(process.output.hasSuffix(run.output), "\(process.outputTail)") }
      try wayBack(ledger)
    }

    @Test("a standby is refused at a start")
    func standby() throws {
      let scene = try FailoverScene("failover_standby", on: nil, isGuarded: false)
      let process = try scene.ledger.expandAndStart()
      try scene.ledger.awaitCaughtUp(process)
      #expect(try scene.standby.hasReplayed(scene.primary))
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      let run = try ChildProcess.run(
        [CrossfadeBinary.path(), "run", scene.ledger.slotFile, "--log-level", "critical"],
        environment: [
          "CROSSFADE_SOURCE": scene.standby.conninfo(database: scene.ledger.database),
          "CROSSFADE_LOG": scene.ledger.logDirectory,
        ], within: .seconds(60))
      #expect(run.status == .exited(3))
      #expect(
        run.output
          == "crossfade: this server is a standby: its slots cannot be read before it is promoted\n  hint: point "
          + "source.connection at the primary: name all servers, as in host=a,b, with target_session_attrs=read-write\n"
      )
    }

    @Test("a timeline that grows under the same server is followed by the running process, on every major")
    func recoveredOntoNewTimeline() throws {
      let seed = Seed.draw(for: "new_timeline")
      var configuration = ClusterConfiguration()
      configuration.settings["restore_command"] = "false"
      let cluster = try Cluster.running(configuration)
      let ledger = try LedgerFixture("new_timeline", on: cluster)
      let process = try ledger.expandAndStart()
      try ledger.backfill()
      // The application finds a primary only; Crossfade takes what it gets, and waits.
      let workload = Workload(
        conninfo: ledger.conninfo + " target_session_attrs=read-write", plan: .everyKind(seed: seed))
      workload.start()
      for round in 1...2 {
        let before = workload.tally().committed
        #expect(eventually(within: .seconds(60)) { workload.tally().committed >= before + 150 })
        try cluster.kill9()
        let signal = "\(cluster.dataPath)/recovery.signal"
        #expect(
          FileManager.default.createFile(
            atPath: signal, contents: nil, attributes: [.posixPermissions: 0o666]))
        try cluster.start()
        // Until it has found the end of its WAL it is a standby, for us too.
        try ledger.awaitRow("SELECT NOT pg_is_in_recovery()", process)
        try ledger.awaitCaughtUp(process)
        #expect(try timeline(ledger) == UInt32(1 + round))
      }
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
      try ledger.expectExact(seed: seed)
    }
  }
}
