import FailPoints
import Postgres

/// One attempt at a step that is a transaction: settings, locks, statements, account, commit.
struct StepTransaction {
  let runner: StepRunner
  let step: Step
  let isBack: Bool
  /// Milliseconds; nil is without limit.
  let lockTimeout: Int?

  private var connection: Connection { runner.connection }

  func run(_ effort: inout StepAccount.Effort) throws(PostgresError) {
    var waited = 0
    var hasAccount = false
    defer { effort.lockWait += waited }
    let attempts = effort
    try connection.transaction(purpose: step.title) { () throws(PostgresError) in
      try set([
        ("search_path", "pg_catalog"), ("lock_timeout", "\(lockTimeout ?? 0)"),
        ("statement_timeout", "\(step.statementTimeout)"), ("idle_in_transaction_session_timeout", "60000"),
      ])
      if connection.serverVersion.major >= 17 { try set([("transaction_timeout", "0")]) }
      hasAccount = try runner.account.isThere()
      if hasAccount, lockTimeout != nil { try runner.account.lockRow() }
      let start = Deadline.now
      do throws(PostgresError) {
        if let lockTimeout, !step.locks.isEmpty {
          try withinTimeout(lockTimeout, isLocked: try takeLocks(lockTimeout), since: start, &waited)
        } else {
          for statement in step.statements { try connection.query(statement, purpose: step.title) }
        }
      } catch {
        waited = StepRunner.milliseconds(since: start)
        throw error
      }
      if try runner.account.isThere() {
        try MigrationState.begin(slot: runner.sessions.slot, on: connection)
        var effort = attempts
        effort.lockWait += waited
        try runner.account.finish(step, effort, isBack: isBack)
      }
      runner.report(.commits(step))
      FailPoint.pass(.stepBeforeCommit)
    }
    FailPoint.pass(.stepAfterCommit)
  }

  /// Runs the statements, which take a moment once their locks are there. Where they have to take them themselves, the wait
  /// is theirs, and so is the limit on all of their locks together.
  private func withinTimeout(
    _ lockTimeout: Int, isLocked: Bool, since start: UInt64, _ waited: inout Int
  ) throws(PostgresError) {
    if isLocked {
      waited = StepRunner.milliseconds(since: start)
      try set([("statement_timeout", "\(step.statementTimeout)")])
      for statement in step.statements { try connection.query(statement, purpose: step.title) }
    } else {
      try set([("statement_timeout", "\(lockTimeout)")])
      for statement in step.statements { try lockingQuery(statement) }
      waited = StepRunner.milliseconds(since: start)
    }
  }

  /// Takes the step's locks in its order, in one statement a mode, with a limit on all of its waits together: partitions are
  /// locked one after the other, each with a `lock_timeout` of its own, while the table's own lock is held already.
  ///
  /// False where the role may not.
  private func takeLocks(_ lockTimeout: Int) throws(PostgresError) -> Bool {
    var groups: [(mode: LockMode, tables: [String])] = []
    for lock in step.locks {
      guard try isLockable(lock.table) else { return false }
      if let last = groups.last, last.mode == lock.mode {
        groups[groups.count - 1].tables.append(lock.table)
      } else {
        groups.append((lock.mode, [lock.table]))
      }
    }
    let deadline = Deadline.after(milliseconds: lockTimeout)
    for group in groups {
      try set([("statement_timeout", "\(max(1, deadline.remainingMilliseconds))")])
      try lockingQuery("LOCK TABLE \(group.tables.joined(separator: ", ")) IN \(group.mode.rawValue) MODE")
    }
    return true
  }

  /// A statement whose `statement_timeout` is one for its locks.
  private func lockingQuery(_ sql: String) throws(PostgresError) {
    do throws(PostgresError) {
      try connection.query(sql, purpose: step.title)
    } catch {
      guard case .server(var cause) = error, cause.sqlState == .queryCanceled else { throw error }
      cause.sqlState = .lockNotAvailable
      throw .server(cause)
    }
  }

  /// An index cannot be locked by itself; a table only with a right to change it (`lockcmds.c LockTableAclCheck`).
  private func isLockable(_ table: String) throws(PostgresError) -> Bool {
    try connection.query(
      """
      SELECT coalesce(bool_and(c.relkind IN ('r', 'p')
                               AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')), false)
        FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass($1)
      """, [.text(table)], purpose: "look whether \(table) can be locked"
    ).boolean(0, 0)
  }

  private func set(_ settings: [(name: String, value: String)]) throws(PostgresError) {
    let calls = settings.map {
      "pg_catalog.set_config(\(SQLText.literal($0.name)), \(SQLText.literal($0.value)), true)"
    }
    try connection.query("SELECT " + calls.joined(separator: ", "), purpose: step.title)
  }
}
