extension SlotDefinition {
  /// When a position is confirmed to the slot, which lets the server drop its WAL.
  public enum Confirm: String, CaseIterable, Sendable {
    /// Once it is durable in the change log.
    case logged
    /// Once it is applied to the target too.
    case applied
  }

  /// What is asked of the stream. What it comes to depends on the server; `check` shows it.
  public struct Stream: Hashable, Sendable {
    /// Large transactions are sent while they run.
    public var streaming: Bool
    /// Prepared transactions are sent when they are prepared.
    public var twoPhase: Bool
    /// Values come in their types' binary form.
    public var binary: Bool
    /// Which changes are sent, by their replication origin.
    public var origin: Origin
    /// A new slot is made to be synchronized to standbys; nil: where the server can.
    public var failover: Bool?

    /// The settings; each has its default.
    public init(
      streaming: Bool = false, twoPhase: Bool = false, binary: Bool = false, origin: Origin = .any,
      failover: Bool? = nil
    ) {
      self.streaming = streaming
      self.twoPhase = twoPhase
      self.binary = binary
      self.origin = origin
      self.failover = failover
    }
  }

  /// Which changes are sent, by their replication origin.
  public enum Origin: String, CaseIterable, Sendable {
    /// All of them; those of the dual-write are dropped by the name of their origin.
    case any
    /// Those without one: also what reaches the ledger through somebody else's subscription stays unsent.
    case none
  }

  /// How the dual-write writes.
  public struct Write: Hashable, Sendable {
    /// The most keys in one statement.
    public var batch: Int
    /// `lock_timeout`: how long a statement waits for a lock. Never zero, which would be "for ever". Below the servers'
    /// `deadlock_timeout` of 1 s we are the one who gives way in a deadlock, not the application (`DeadlockTests`).
    public var lockTimeout: Milliseconds
    /// `statement_timeout`. Never zero.
    public var statementTimeout: Milliseconds
    /// `synchronous_commit` of the writing session.
    public var synchronousCommit: SynchronousCommit

    /// The settings; each has its default.
    public init(
      batch: Int = 5_000, lockTimeout: Milliseconds = Milliseconds(100),
      statementTimeout: Milliseconds = .seconds(30),
      synchronousCommit: SynchronousCommit = .off
    ) {
      self.batch = batch
      self.lockTimeout = lockTimeout
      self.statementTimeout = statementTimeout
      self.synchronousCommit = synchronousCommit
    }
  }

  /// PostgreSQL's `synchronous_commit`. `off` loses nothing here: rows and checkpoint are in the same commit.
  public enum SynchronousCommit: String, CaseIterable, Sendable {
    /// The commit does not wait for its WAL to be flushed.
    case off
    /// It waits for the local flush.
    case local
    /// It waits for the flush here and on synchronous standbys.
    case on
    /// It waits until synchronous standbys have the WAL in memory.
    case remoteWrite = "remote_write"
    /// It waits until synchronous standbys have applied it.
    case remoteApply = "remote_apply"
  }
}
