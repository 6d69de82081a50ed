import Postgres
import Synchronization

/// Watches from a session of its own for how long the application's sessions wait for locks. It looks at `pg_stat_activity`, which
/// takes no lock that others need, every few milliseconds; a wait is known to within the time between two looks.
final class LockWatch: Sendable {
  /// The longest waits of a stretch of time.
  struct Longest: Sendable {
    var relation_ms = 0.0
    var row_ms = 0.0
  }

  private let interrupt: Interrupt
  private let worker: Worker<String?>
  private static let every_ms = 5

  private final class Shared: Sendable {
    let longest = Mutex(Longest())
  }
  private let shared: Shared

  init(conninfo: String) throws {
    guard let interrupt = Interrupt() else { throw BenchError("out of file descriptors") }
    let shared = Shared()
    (self.interrupt, self.shared) = (interrupt, shared)
    worker = Worker {
      do throws(PostgresError) {
        try Self.watch(conninfo, interrupt, shared)
        return nil
      } catch {
        return "\(error)"
      }
    }
  }

  /// The longest since this was asked last.
  func take() throws -> Longest {
    if let error = worker.result ?? nil { throw BenchError("the watch over locks ended: \(error)") }
    return shared.longest.withLock { longest in
      defer { longest = Longest() }
      return longest
    }
  }

  func end() { interrupt.stop() }

  private static func watch(
    _ conninfo: String, _ interrupt: Interrupt, _ shared: Shared
  ) throws(PostgresError) {
    let connection = try Connection(conninfo, options: .init(applicationName: "crossfade-bench watch"))
    try connection.prepare(
      "waits",
      """
      SELECT pid, wait_event = 'relation', extract(epoch FROM query_start) FROM pg_catalog.pg_stat_activity
       WHERE wait_event_type = 'Lock' AND application_name LIKE 'ledger %'
      """, purpose: "watch")
    // By session and statement: since when it waits.
    var since: [String: UInt64] = [:]
    while !interrupt.wait(milliseconds: every_ms) {
      try connection.startPipeline([PipelineStatement("waits")], purpose: "watch")
      guard let rows = try connection.finishPipeline(purpose: "watch").first else { continue }
      let now = Deadline.now
      var seen: [String: UInt64] = [:]
      for row in 0..<rows.rowCount {
        let key = "\(rows[row, 0] ?? "") \(rows[row, 2] ?? "") \(rows[row, 1] ?? "")"
        let begin = since[key] ?? now
        seen[key] = begin
        let waited = Double(now - begin) / 1e6 + Double(every_ms)
        shared.longest.withLock { longest in
          if rows.boolean(row, 1) {
            longest.relation_ms = max(longest.relation_ms, waited)
          } else {
            longest.row_ms = max(longest.row_ms, waited)
          }
        }
      }
      since = seen
    }
  }
}
