import Glibc
public import Logging
public import Postgres

/// Runs a statement that needs a strong lock without ever making the ledger wait long: short `lock_timeout`, many
/// attempts, growing waits with jitter, a budget, and a look at who is in the way.
public struct PatientDDL {
  let connection: Connection
  let interrupt: Interrupt
  let logger: Logger
  let attempts: Int

  /// - Parameter attempts: how often at most.
  public init(connection: Connection, interrupt: Interrupt, logger: Logger, attempts: Int = 40) {
    self.connection = connection
    self.interrupt = interrupt
    self.logger = logger
    self.attempts = max(1, attempts)
  }

  /// The lock_timeout of an attempt in milliseconds: 100 at first, 2,000 at last.
  static func lockTimeout(attempt: Int) -> Int { min(2000, 100 + attempt * 100) }

  /// Runs one statement in a transaction of its own.
  ///
  /// - Parameter relation: the table whose lock it needs, as `regclass` reads it; for the report on who blocks.
  public func run(_ sql: String, on relation: String, purpose: String) throws(MigrationError) {
    var waits = Backoff(firstMilliseconds: 100, lastMilliseconds: 5000)
    var blockers: [Blocker] = []
    for attempt in 0..<attempts {
      do throws(PostgresError) {
        try connection.transaction(purpose: purpose) { () throws(PostgresError) in
          try connection.query(
            "SELECT set_config('lock_timeout', $1, true)", [.text("\(Self.lockTimeout(attempt: attempt))")],
            purpose: purpose)
          try connection.query(sql, purpose: purpose)
        }
        return
      } catch {
        guard error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected else {
          throw .postgres(error)
        }
        blockers = (try? Self.blockers(of: relation, on: connection)) ?? blockers
        logger.info(
          "the lock is not free; trying again",
          metadata: [
            "purpose": "\(purpose)", "attempt": "\(attempt + 1)", "held_by": "\(blockers.map(\.pid))",
          ])
        if interrupt.wait(milliseconds: waits.next()) { throw .postgres(.interrupted(purpose: purpose)) }
      }
    }
    throw .lockNotObtained(what: purpose, attempts: attempts, blockers: blockers)
  }

  /// Sessions with a lock on the table, the longest transaction first.
  static func blockers(of relation: String, on connection: Connection) throws(PostgresError) -> [Blocker] {
    let rows = try connection.query(
      """
      SELECT DISTINCT a.pid, a.application_name, a.state, extract(epoch FROM now() - a.xact_start)::bigint AS age
        FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
       WHERE l.relation = to_regclass($1) AND l.granted AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
       ORDER BY age DESC LIMIT 10
      """, [.text(relation)], purpose: "look for who holds the lock")
    return (0..<rows.rowCount).map { row in
      Blocker(
        pid: rows.integer(row, 0) ?? 0, application: rows[row, 1] ?? "", state: rows[row, 2] ?? "",
        transactionSeconds: rows.integer(row, 3) ?? 0)
    }
  }
}
