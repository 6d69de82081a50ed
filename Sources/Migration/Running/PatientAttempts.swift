import FailPoints
import Postgres

/// The attempts at one step, until one succeeds or the budget is spent.
struct PatientAttempts {
  let runner: StepRunner
  let step: Step
  let isBack: Bool

  private var connection: Connection { runner.connection }
  private var account: StepAccount { runner.account }

  func run(_ effort: inout StepAccount.Effort) throws(MigrationError) {
    guard let timeouts = step.lockTimeout else { return try unlimited(&effort) }
    let start = Deadline.now
    var patience = LockPatience(timeouts: timeouts, budget: runner.lockBudget)
    let blockers = Blockers(connection: connection, withQueries: runner.recordsQueries)
    while true {
      var standing: [Blocker] = []
      do throws(PostgresError) {
        // Those who have held it for less than a second may be gone before we are heard.
        standing = try blockers.find(step.locks, olderThan: 1_000)
      } catch {
        throw .postgres(error)
      }
      let obstinate = standing.filter { !$0.yields }
      let action = patience.next(
        elapsed: StepRunner.milliseconds(since: start), blocked: !obstinate.isEmpty,
        yielding: obstinate.count < standing.count)
      effort.attempts = patience.attempts
      effort.remember(obstinate)
      switch action {
      case .giveUp:
        throw .lockNotObtained(what: step.title, attempts: effort.attempts, blockers: effort.blockers)
      case .wait(let milliseconds):
        runner.report(.waits(step, for: obstinate, attempts: effort.attempts))
        if runner.interrupt.wait(milliseconds: milliseconds) {
          throw .postgres(.interrupted(purpose: step.title))
        }
        try runner.lock.check()
      case .attempt(let lockTimeout):
        do throws(PostgresError) {
          try StepTransaction(runner: runner, step: step, isBack: isBack, lockTimeout: lockTimeout).run(
            &effort)
          return
        } catch {
          guard error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected else {
            throw .refusal(error)
          }
          effort.remember((try? blockers.find(step.locks)) ?? [])
        }
      }
    }
  }

  /// Nobody waits behind these, and they wait as long as it takes. A deadlock can still happen, and is tried again.
  private func unlimited(_ effort: inout StepAccount.Effort) throws(MigrationError) {
    var deadlocks = 0
    while true {
      effort.attempts += 1
      do throws(PostgresError) {
        switch step.manner {
        case .alone: try LoneStatements(runner: runner, step: step, isBack: isBack).run(&effort)
        case .transaction, .work:
          try StepTransaction(runner: runner, step: step, isBack: isBack, lockTimeout: nil).run(&effort)
        }
        return
      } catch {
        // It may be the lock's end that cancelled the statement.
        try runner.lock.check()
        guard error.sqlState == .deadlockDetected, deadlocks < 5 else { throw .refusal(error) }
        deadlocks += 1
      }
    }
  }
}

extension StepAccount.Effort {
  /// Each blocker once, as it was seen last.
  mutating func remember(_ more: [Blocker]) {
    for blocker in more {
      blockers.removeAll { $0.pid == blocker.pid && $0.application == blocker.application }
      blockers.append(blocker)
    }
    if blockers.count > 20 { blockers.removeFirst(blockers.count - 20) }
  }
}
