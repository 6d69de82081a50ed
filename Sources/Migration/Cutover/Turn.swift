import DualWrite
import FailPoints
import Postgres

/// Asks the dual-write for another direction and waits until it has taken it up. Where it does not, it is asked to stay as it
/// was, so that nothing turns later, when nobody looks.
struct Turn {
  let runner: StepRunner
  /// Milliseconds.
  let patience: Int

  private var slot: String { runner.sessions.slot }
  private var connection: Connection { runner.connection }
  /// A dual-write that is restarted is gone for a moment.
  private static let absence = 10_000

  /// Turns, as a step.
  func run(_ step: Step, to standing: Direction.Standing, isBack: Bool = false) throws(MigrationError)
    -> StepOutcome
  {
    try runner.work(step, isBack: isBack) { () throws(MigrationError) in
      let before = try MigrationError.asking { () throws(PostgresError) in
        try Direction.load(slot: slot, on: connection)
      }
      FailPoint.pass(.stepBeforeCommit)
      do throws(MigrationError) {
        try turn(from: before.standing, to: standing)
      } catch {
        takeBack(to: before.standing)
        throw error
      }
      FailPoint.pass(.stepAfterCommit)
    }
  }

  private func turn(
    from before: Direction.Standing, to standing: Direction.Standing
  ) throws(MigrationError) {
    let purpose = "turn the direction"
    var direction = try MigrationError.asking { () throws(PostgresError) in
      try Direction.ask(standing, slot: slot, on: connection)
    }
    if before == .forward { try awaitDerivers() }
    let deadline = Deadline.after(milliseconds: patience)
    var seen = Deadline.now
    while !direction.isTakenUp {
      if runner.interrupt.wait(milliseconds: 50) { throw .postgres(.interrupted(purpose: purpose)) }
      try runner.lock.check()
      let isAlive = try MigrationError.asking { () throws(PostgresError) in
        direction = try Direction.load(slot: slot, on: connection)
        return try LockHolder.find("crossfade", slot, on: connection) != nil
      }
      if isAlive { seen = Deadline.now }
      guard direction.asked == standing else {
        throw .notTurned(slot: slot, why: "somebody else asked for the standing \(direction.asked.rawValue)")
      }
      guard StepRunner.milliseconds(since: seen) < min(Self.absence, patience) || direction.isTakenUp else {
        throw .notTurned(slot: slot, why: "`crossfade run` is not at work")
      }
      guard !deadline.hasPassed || direction.isTakenUp else {
        throw .notTurned(
          slot: slot,
          why: "it has not come to \(direction.askedLSN), where it was asked, within \(patience / 1_000) s")
      }
    }
  }

  /// One that came after the gates were looked at and before this was asked; those that come now see what is asked, and go.
  private func awaitDerivers() throws(MigrationError) {
    let deadline = Deadline.after(milliseconds: Self.departure)
    while let holder = try MigrationError.asking({ () throws(PostgresError) in
      try RowDeriver.find(slot: slot, on: connection)
    }) {
      guard !deadline.hasPassed else {
        throw .notTurned(slot: slot, why: "\(holder) is at work and derives rows as they stand")
      }
      if runner.interrupt.wait(milliseconds: 50) {
        throw .postgres(.interrupted(purpose: "turn the direction"))
      }
    }
  }

  private static let departure = 2_000

  /// Over a session of its own: ours may be lost, or interrupted.
  private func takeBack(to standing: Direction.Standing) {
    guard let interrupt = Interrupt(), let session = try? runner.sessions.connect("undo", interrupt) else {
      return
    }
    _ = try? Direction.ask(standing, slot: slot, on: session)
  }
}
