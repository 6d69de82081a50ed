import Postgres

/// One migration of a slot at a time: an advisory lock of a session of its own, which does nothing else.
///
/// - It is asked for again and again, never waited for: a session that waits for an advisory lock holds a snapshot, and
///   `CREATE INDEX CONCURRENTLY` of the one who has the lock would wait for it for good.
/// - For the same reason its session is never in a transaction.
/// - When the session is gone the lock is, too: then whoever works under it stops.
final class MigrationLock {
  private let slot: String
  private let connection: Connection

  /// The server process that holds it.
  var backendPID: Int32 { connection.backendPID }

  /// Takes it, or says who has it.
  ///
  /// - Parameter patience: milliseconds; the session of one who was just killed may take a moment to go.
  init(
    sessions: SlotConnection, patience: Int = 3_000, interrupt: Interrupt
  ) throws(MigrationError) {
    slot = sessions.slot
    do throws(PostgresError) {
      connection = try sessions.connect("lock", interrupt)
      let deadline = Deadline.after(milliseconds: patience)
      while try !connection.query(
        "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade migration'), hashtext($1))",
        [.text(slot)],
        purpose: "take the lock of the migration of slot \(slot)"
      ).boolean(0, 0) {
        guard !deadline.hasPassed else { break }
        if interrupt.wait(milliseconds: 100) { throw .interrupted(purpose: "take the lock of the migration") }
      }
      let holder = try LockHolder.find("crossfade migration", slot, on: connection)
      if let holder, holder.pid != Int64(connection.backendPID) {
        throw PostgresError.unexpected(purpose: Self.held, what: "\(holder)")
      }
    } catch {
      if case .unexpected(purpose: Self.held, let what) = error {
        throw .busy(slot: sessions.slot, holder: what)
      }
      throw .postgres(error)
    }
  }

  private static let held = "held elsewhere"

  /// Whether it is still ours.
  func check() throws(MigrationError) {
    let isOurs: Bool
    do throws(PostgresError) {
      isOurs =
        try LockHolder.find("crossfade migration", slot, on: connection)?.pid == Int64(connection.backendPID)
    } catch {
      if case .interrupted = error { throw .postgres(error) }
      isOurs = false
    }
    guard isOurs else { throw .lockLost(slot: slot) }
  }
}
