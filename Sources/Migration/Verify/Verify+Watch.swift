import DualWrite
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
    var restarts = options.scope == .whole(restart: true)
    return try again { (_) throws(MigrationError) in
      let opened = try VerifyOpening(self).open()
      guard let store = opened.store else {
        throw .notReady(
          what: "`--watch` remembers what is verified, and cannot: " + opened.notes.joined(separator: "; "),
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
      repeat { round(try follower.round()) } while !interrupt.wait(milliseconds: interval)
      return follower.standing
    }
  }
}
