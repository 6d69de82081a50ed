import PGOutput

/// Which checkpoint no crash of the target's server can take back. A value: it asks nobody.
///
/// A commit that did not wait for its flush (`synchronous_commit: off`) is undone by a crash that comes soon after, and the
/// checkpoint goes back with it: what lies behind it is then needed again. One that was seen is durable once the server
/// has flushed its WAL up to where it was written when somebody looked.
struct DurableCheckpoint {
  /// The last checkpoint that is known to be durable.
  private(set) var end: LSN?
  /// One that is seen, and where the WAL must be flushed to for it.
  private var awaited: (end: LSN, through: LSN)?

  /// Whether there is nothing to ask for.
  func isSettled(at checkpoint: LSN) -> Bool { end == checkpoint }

  /// Notes what the server says, asked after `checkpoint` was committed or read: where it writes its WAL, and up to where
  /// that is flushed.
  mutating func note(_ checkpoint: LSN, inserted: LSN, flushed: LSN) {
    if let (end, through) = awaited, flushed >= through {
      self.end = end
      awaited = nil
    }
    if flushed >= inserted {
      end = checkpoint
      awaited = nil
    } else if awaited == nil {
      // Under a load the flush is always a little behind: the one that was seen first is waited for.
      awaited = (checkpoint, inserted)
    }
  }
}
