import ChangeLog
import Logging
import Postgres

/// The reader `replay` of a log: as long as a repair is unfinished, retention drops nothing that it has still to read. One
/// a log, as its repair is one a slot.
final class RepairHold {
  private static let name = "replay"
  /// How often it is moved: a file is written each time.
  private static let pauseMilliseconds = 1000

  private let readers: LogReaders
  private let logger: Logger
  private var isHeld = true
  private var next = Deadline.after(milliseconds: pauseMilliseconds)

  /// Holds what ends after `position`. To be made under the repair's lock. A log that cannot be written to, a copy
  /// perhaps, is read without.
  ///
  /// - Throws: `pruned` when that is gone already and cannot be brought back.
  init(_ log: LogSource, after position: Position, logger: Logger) throws(ReplayError) {
    readers = LogReaders(directory: log.directory)
    self.logger = logger
    do throws(ChangeLogError) {
      do throws(ChangeLogError) {
        try hold(position)
      } catch .pruned(let asked, let first) {
        guard log.restore != nil else { throw .pruned(asked: asked, firstHeld: first) }
        // What is archived is brought back when it is read.
        try hold(Position(endLSN: first))
      }
    } catch {
      if case .pruned = error { throw .log(error) }
      isHeld = false
      warn(error)
    }
  }

  private func hold(_ position: Position) throws(ChangeLogError) {
    // One that was interrupted may have left it elsewhere.
    if try readers.register(Self.name, at: position, kind: "replay").position != position {
      try readers.move(Self.name, to: position)
    }
  }

  /// Lets go of what ends before `position`, now and then.
  func move(to position: Position) {
    guard isHeld, next.hasPassed else { return }
    next = Deadline.after(milliseconds: Self.pauseMilliseconds)
    do throws(ChangeLogError) {
      try readers.move(Self.name, to: position)
    } catch {
      // Before what the log still has: the first segments of the range are brought back from the archive.
      if case .pruned = error { return }
      isHeld = false
      warn(error)
    }
  }

  /// Lets go of all.
  func release() {
    guard isHeld else { return }
    do throws(ChangeLogError) {
      try readers.forget(Self.name)
    } catch {
      warn(error)
    }
  }

  private func warn(_ error: ChangeLogError) {
    logger.warning(
      "the log is not held for the replay: retention may drop what it has still to read, or keep what it has read",
      metadata: ["error": "\(error)"])
  }
}
