import ChangeLog
import Logging
import PGOutput
import Postgres

/// The direction: asked for by somebody else, taken up here in a commit that moves the checkpoint.
extension Applier {
  /// Takes up what is asked, once all is read that had been committed by then and none of it is left to be written. Nothing is
  /// gathered meanwhile: what comes after the commit is handled the new way, and nothing is handled both ways or neither way.
  ///
  /// Says whether anything was sent.
  mutating func turnIfDue() throws(DualWriteError) -> Bool {
    let wanted = session.direction
    guard wanted.asked != builder.standing, !builder.isInsideTransaction, read >= wanted.askedLSN,
      builder.book.awaited == nil, builder.book.held.isEmpty
    else { return false }
    try session.prepare(for: wanted.asked)
    try reloadMapIfNeeded()
    var batch = nextBatch()
    batch.turn = wanted
    try send(batch)
    try collect(&batch)
    if session.direction.standing == wanted.asked {
      builder.turn(to: wanted.asked)
      builder.pairs.blank = try session.blank()
      logger.notice(
        "the direction has turned", metadata: ["to": "\(wanted.asked.rawValue)", "after": "\(end)"])
    }
    batch.removeAll()
    spare = batch
    return true
  }

  /// Looks, about twice a second, whether something is asked, which each batch tells too, and at the old column's default, which
  /// may have been altered.
  mutating func lookAtDirection() throws(DualWriteError) {
    guard ContinuousClock.now >= nextLookAtDirection else { return }
    nextLookAtDirection = .now + .milliseconds(400)
    do { try session.lookAtDirection() } catch { throw .postgres(error) }
    builder.pairs.blank = try session.blank()
    status.update { [direction = session.direction] status in status.direction = direction }
  }
}
