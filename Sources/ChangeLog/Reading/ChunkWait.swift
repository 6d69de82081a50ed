import PGOutput
import Synchronization

/// One wait for the next chunk of a log, on a thread that may sleep.
final class ChunkWait: Sendable {
  private let reader: LogReader
  private let through: LSN?
  private let tail: LogTail?
  private let isStopped = Atomic(false)

  init(_ reader: LogReader, through: LSN?, tail: LogTail?) {
    self.reader = reader
    self.through = through
    self.tail = tail
  }

  /// Ends the wait.
  func stop() {
    isStopped.store(true, ordering: .releasing)
    tail?.wake()
  }

  /// The next chunk; nil when none is to come: the wait was stopped, the tail is closed, or `through` has passed.
  /// The writer wakes it. It looks up in between only so that a stop is not missed that comes just before it sleeps.
  func chunk() -> Result<LogChunk?, ChangeLogError> {
    Result { () throws(ChangeLogError) in
      while !isStopped.load(ordering: .acquiring) {
        let isClosed = tail?.isClosed ?? false
        if let chunk = try reader.next(timeout: .milliseconds(500)) { return chunk }
        if isClosed { return nil }
        if let through, reader.reach >= through { return nil }
      }
      return nil
    }
  }
}
