import LocalCluster
import Postgres
import Testing

@testable import DualWrite

/// Why `write.lock_timeout` is 100 ms: the servers look for a deadlock after 1 s of waiting, and end whoever looks.
@Suite("A deadlock between us and the application", .timeLimit(.minutes(5))) struct DeadlockTests {
  /// The application waits for a row of ours; then we wait for a row of its. What became of its statement, and of ours.
  private func meet(_ name: String, lockTimeout: String) async throws -> (theirs: String, ours: String) {
    let target = try TargetDatabase(name, rows: 2)
    let ours = try target.connect(settings: [("lock_timeout", lockTimeout)])
    let conninfo = target.cluster.conninfo(database: target.name)
    try ours.script(
      "BEGIN; UPDATE public.transactions SET state_id = 1 WHERE id = 1", purpose: "hold the first")
    let app = Worker<String> {
      do {
        let app = try Connection(conninfo, options: .init(applicationName: "app"))
        try app.script(
          "BEGIN; UPDATE public.transactions SET status = 'AUTH' WHERE id = 2", purpose: "hold the second")
        try app.script(
          "UPDATE public.transactions SET status = 'AUTH' WHERE id = 1; COMMIT", purpose: "ask for the first")
        return "committed"
      } catch {
        return "\(error)"
      }
    }
    let watcher = try target.connect()
    let waits = try eventually(within: .seconds(60)) {
      try watcher.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'app' AND wait_event_type = 'Lock' "
          + "AND datname = current_database()", purpose: "look whether it waits"
      ).integer(0, 0) == 1
    }
    #expect(waits)
    var outcome = "written"
    do {
      try ours.query(
        "UPDATE public.transactions SET state_id = 1 WHERE id = 2", purpose: "ask for the second")
    } catch {
      outcome = "\(error)"
    }
    try ours.query("ROLLBACK", purpose: "end")
    return (await app.value, outcome)
  }

  @Test("with 100 ms we give way, and the application commits")
  func shortTimeout() async throws {
    let (theirs, ours) = try await meet("deadlock_short", lockTimeout: "100ms")
    #expect(theirs == "committed")
    #expect(ours.contains("55P03"))
  }

  @Test("with 2 s the server ends the application's statement")
  func longTimeout() async throws {
    let (theirs, _) = try await meet("deadlock_long", lockTimeout: "2s")
    #expect(theirs.contains("40P01"))
  }
}
