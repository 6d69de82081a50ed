import DualWrite
public import PGOutput
import Postgres

extension Verify {
  /// Verifies the whole table, unless a pass was finished before, and then looks again at what the stream touches, every
  /// so many milliseconds, until the interrupt is stopped. A full pass is made once.
  ///
  /// - Parameters:
  ///   - report: called after every look of the pass.
  ///   - round: called after every round that follows it.
  public func watch(
    everyMilliseconds interval: Int, report: (VerifyProgress) -> Void, round: (VerifyRound) -> Void
  ) throws(MigrationError) -> VerifiedStanding {
    try follow(everyMilliseconds: interval, report: report) {
      round($0)
      return true
    }
  }

  /// Brings what is verified up to a position, and says whether every row is right as of it: for a cutover. Nothing is
  /// read but what was touched since the pass, which is made where there is none.
  public func verdict(
    at position: LSN, report: (VerifyProgress) -> Void = { _ in }
  ) throws(MigrationError) -> VerifiedStanding.Verdict {
    let deadline = ContinuousClock.now + options.wait
    var judge = VerdictJudge(position: position)
    var verdict: VerifiedStanding.Verdict?
    let standing = try follow(everyMilliseconds: 50, report: report) { round in
      if let standing = round.standing { verdict = judge.note(standing) }
      return verdict == nil && ContinuousClock.now < deadline
    }
    return verdict ?? standing.verdict(at: position)
  }

  /// - Parameter round: called after every round; says whether to go on.
  private func follow(
    everyMilliseconds interval: Int, report: (VerifyProgress) -> Void, round: (VerifyRound) -> Bool
  ) throws(MigrationError) -> VerifiedStanding {
    var restarts = options.scope == .whole(restart: true)
    return try again { (_) throws(MigrationError) in
      let opened = try VerifyOpening(self).open()
      guard let store = opened.store else {
        throw .notReady(
          what: "what is verified cannot be remembered: " + opened.notes.joined(separator: "; "),
          hint: "connect as a role that may write to schema crossfade, to a server that takes writes")
      }
      let looking = VerifyLooking(opened: opened, options: options, interrupt: interrupt)
      try looking.lock()
      let kept = try MigrationError.asking { () throws(PostgresError) in try store.load() }
      if restarts || kept?.finished != true {
        var pass = try looking.pass(restart: restarts)
        restarts = false
        _ = try looking.finish(&pass, report)
      }
      var follower = try MigrationError.asking { () throws(PostgresError) in
        try StreamFollower(opened, store: store, interrupt: interrupt)
      }
      repeat {
        do throws(MigrationError) {
          guard round(try follower.round()) else { break }
        } catch {
          // Ended in the middle of a round: what it had found is kept, and where it stood before is told.
          guard case .postgres(.interrupted) = error else { throw error }
        }
      } while !interrupt.wait(milliseconds: interval)
      return follower.standing
    }
  }
}
