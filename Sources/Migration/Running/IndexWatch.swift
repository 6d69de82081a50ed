import Postgres
import Synchronization

/// Watches a statement that may take hours, from a session and a thread of its own: tells how far it is and for whom it waits,
/// and cancels it when the migration's lock is gone.
final class IndexWatch: Sendable {
  private let interrupt: Interrupt?
  private let worker: Worker<Void>?

  init(runner: StepRunner, step: Step) {
    guard let interrupt = Interrupt() else {
      // Without descriptors for it the statement goes on unwatched.
      (self.interrupt, worker) = (nil, nil)
      return
    }
    self.interrupt = interrupt
    let (sessions, report) = (runner.sessions, runner.report)
    let (builder, holder) = (runner.connection.backendPID, runner.lock.backendPID)
    worker = Worker { Self.watch(step, sessions, builder: builder, holder: holder, interrupt, report) }
  }

  /// Ends the watch. Its session may take a moment to go.
  func end() { interrupt?.stop() }

  private static func watch(
    _ step: Step, _ sessions: SlotConnection, builder: Int32, holder: Int32, _ interrupt: Interrupt,
    _ report: @Sendable (StepNews) -> Void
  ) {
    var last = ""
    while !interrupt.wait(milliseconds: 300) {
      // A session for each look would be dear, one for all is lost with the first fault: so, one until it fails.
      guard let connection = try? sessions.connect("watch", interrupt) else { continue }
      while !interrupt.wait(milliseconds: 300) {
        guard
          let rows = try? connection.query(question, [.integer(builder), .integer(holder)], purpose: "watch")
        else { break }
        if rows.boolean(0, 3) {
          _ = try? connection.query(
            "SELECT pg_cancel_backend($1::integer)", [.integer(builder)], purpose: "cancel")
          return
        }
        let text = [rows[0, 0], rows[0, 1], rows[0, 2]].compactMap { $0 }.joined(separator: ", ")
        if !text.isEmpty, text != last { report(.progress(step, text)) }
        last = text
      }
    }
  }

  /// Phase, share of the blocks, whom it waits for; whether the lock's holder has ended.
  private static let question = """
    SELECT p.phase, CASE WHEN p.blocks_total > 0 THEN (100 * p.blocks_done / p.blocks_total) || ' %' END,
           CASE WHEN b.pid IS NOT NULL THEN 'for pid ' || b.pid || ' ('
                || coalesce(nullif(b.application_name, ''), 'no application_name')
                || coalesce(', ' || b.state, '')
                || coalesce(', transaction open for ' || (extract(epoch FROM clock_timestamp() - b.xact_start))::bigint / 10 * 10
                            || ' s', '') || ')' END,
           NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $2::integer)
      FROM (SELECT) AS one
      LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = $1::integer
      LEFT JOIN pg_catalog.pg_stat_activity AS b
             ON b.pid = coalesce(nullif(p.current_locker_pid, 0), (pg_catalog.pg_blocking_pids($1::integer))[1])
    """
}
