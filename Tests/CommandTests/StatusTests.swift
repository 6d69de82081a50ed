import Foundation
import LocalCluster
import Testing

extension CommandTests {
  @Suite("crossfade status", .serialized) struct Status {
    private func stages(_ status: [String: Any]) throws -> [String: [String: Any]] {
      let stages = try #require(status["stages"] as? [[String: Any]])
      #expect(
        stages.compactMap { $0["stage"] as? String } == [
          "sent", "received", "logged", "applied", "confirmed",
        ])
      return Dictionary(uniqueKeysWithValues: stages.map { ($0["stage"] as? String ?? "", $0) })
    }

    @Test("before, beside and after run")
    func course() throws {
      let slot = try LedgerSlot("status_course")
      try #require(try slot.crossfade("expand").status == .exited(0))
      let before = try slot.crossfade("status")
      #expect(before.status == .exited(0))
      #expect(
        before.output.hasPrefix(
          "status_course: nothing is captured yet: `crossfade expand`, then start `crossfade run`\n"))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id <= 10")
      try #require(try slot.await("SELECT count(*) = 10 FROM transactions WHERE state_id = 3"))
      var status: [String: Any] = [:]
      let caughtUp = try eventually(within: .seconds(30)) {
        status = try object(try slot.crossfade("status", more: ["--json"]))
        return try stages(status).values.allSatisfy { ($0["bytes_behind"] as? Int) == 0 }
      }
      #expect(caughtUp, "\(status)")
      #expect(status["waiting_for"] as? String == "everything logged is applied; waiting for the next change")
      #expect((status["checkpoint"] as? [String: Any])?["changes"] as? Int == 10)
      #expect((status["process"] as? [String: Any])?["alive"] as? Bool == true)
      #expect((status["replication_slot"] as? [String: Any])?["safe_wal_bytes"] as? Int ?? 0 > 0)
      try slot.stop()
      let after = try slot.crossfade("status")
      #expect(after.status == .exited(0))
      #expect(after.output.contains("has ended"), "\(after.output)")
      #expect(after.output.contains("it was stopped in order"), "\(after.output)")
    }

    @Test("what is logged and not applied has an age, told without run")
    func backlog() throws {
      let slot = try LedgerSlot("status_backlog")
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try slot.sql("UPDATE transactions SET status = 'Settled' WHERE id = 2")
      try #require(try slot.await("SELECT state_id = 3 FROM transactions WHERE id = 2"))
      // It writes its status once a second.
      let hasSpoken = eventually(within: .seconds(10)) {
        FileManager.default.fileExists(atPath: slot.log + "/status.json")
      }
      try #require(hasSpoken)
      try slot.stop(SIGKILL)
      // The checkpoint is put back: the log holds more than is applied.
      try slot.sql("UPDATE crossfade.checkpoint SET end_lsn = creation_point WHERE slot = 'status_backlog'")
      let status = try object(try slot.crossfade("status", more: ["--json"]))
      let applied = try #require(try stages(status)["applied"])
      #expect(applied["bytes_behind"] as? Int ?? 0 > 0)
      #expect(applied["seconds_behind"] as? Double ?? 0 > 0)
      #expect((status["waiting_for"] as? String)?.hasSuffix("it was killed") == true)
    }

    @Test("the server down: what log and process know, exit code 69")
    func outage() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let cluster = try Cluster.running(configuration)
      let slot = try LedgerSlot("status_outage", on: cluster)
      try #require(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      try cluster.stop(.immediate)
      var run = try slot.crossfade("status")
      let told = try eventually(within: .seconds(20)) {
        run = try slot.crossfade("status")
        return run.output.contains("capture is reconnecting, waiting for the source")
      }
      #expect(told, "\(run.output)")
      #expect(run.status == .exited(69))
      #expect(run.output.contains("logged     0/"), "\(run.output)")
      #expect(try slot.crossfade("quarantine", "list").status == .exited(69))
      try cluster.start()
      try slot.stop()
    }

    @Test("--watch prints one block after the other into a pipe until it is told to stop")
    func watch() throws {
      let slot = try LedgerSlot("status_watch")
      let output = slot.directory + "/watch.log"
      let watching = try ChildProcess(
        [try CrossfadeBinary.path(), "status", slot.path, "--watch", "0.2", "--json"],
        environment: slot.environment,
        output: .file(output), errors: .file(output))
      defer { watching.stop(SIGKILL) }
      let printed = eventually(within: .seconds(20)) {
        ((try? String(contentsOfFile: output, encoding: .utf8)) ?? "").split(separator: "\n").count >= 3
      }
      #expect(printed)
      #expect(watching.stop(SIGINT) == .exited(0))
    }
  }
}
