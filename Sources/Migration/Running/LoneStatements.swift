import FailPoints
import Postgres

/// Statements that PostgreSQL refuses in a transaction: each by itself, watched from another session.
///
/// They wait for every older snapshot of the database, for as long as it takes; limits that the role or database has for
/// applications would only break them off, and leave an INVALID index. So they have none, and somebody who waits for what is
/// shown: the watch says for whom.
struct LoneStatements {
  let runner: StepRunner
  let step: Step
  let isBack: Bool

  func run(_ effort: inout StepAccount.Effort) throws(PostgresError) {
    let connection = runner.connection
    // Of the session, since there is no transaction to set them for.
    let limits = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
    for name in limits { try connection.query("SET \(name) = 0", purpose: step.title) }
    runner.report(.commits(step))
    FailPoint.pass(.stepBeforeCommit)
    let watch = IndexWatch(runner: runner, step: step)
    do throws(PostgresError) {
      for statement in step.statements { try connection.query(statement, purpose: step.title) }
      watch.end()
    } catch {
      watch.end()
      throw error
    }
    FailPoint.pass(.stepAfterCommit)
    let effort = effort
    for name in limits { try connection.query("RESET \(name)", purpose: step.title) }
    guard try runner.account.isThere() else { return }
    try connection.transaction(purpose: step.title) { () throws(PostgresError) in
      try runner.account.finish(step, effort, isBack: isBack)
    }
  }
}
