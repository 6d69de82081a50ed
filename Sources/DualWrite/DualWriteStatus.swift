public import PGOutput
import Synchronization

/// Where the dual-write stands.
public struct DualWriteStatus: Sendable {
  /// What it is doing.
  public enum Phase: Sendable, Equatable {
    /// Connecting for the first time.
    case starting
    /// Applying, or waiting for changes.
    case applying
    /// A transaction of the stream is not visible yet; since when (monotonic nanoseconds).
    case settling(xid: UInt32, since: UInt64)
    /// The target is away, or holds our locks: the reason, since when.
    case retrying(reason: String, since: UInt64)
    /// Ended.
    case stopped
  }

  /// What it is doing.
  public var phase = Phase.starting
  /// Everything up to here is applied.
  public var applied = LSN.invalid
  /// The commit end in the checkpoint, as committed last. A crash of the target's server may take it back.
  public var checkpoint = LSN.invalid
  /// The checkpoint that a crash cannot take back; invalid while the session has not learned it.
  public var durableCheckpoint = LSN.invalid
  /// Which way it derives, and what is asked of it.
  public var direction = Direction()
  /// Rows for which it is known what is to be written, and which version of them is to be looked at first.
  public var pending = 0
  /// Rows that wait because somebody keeps them locked; the checkpoint waits with them, other rows do not.
  public var held: HeldRows?
  /// Transactions applied since the start.
  public var transactions: UInt64 = 0
  /// Row changes applied since the start.
  public var changes: UInt64 = 0
  /// Batches committed since the start.
  public var batches: UInt64 = 0
  /// Rows written since the start: those that differed.
  public var rows: UInt64 = 0
  /// Batches that were tried again.
  public var retries: UInt64 = 0
}

/// A dual-write status shared between threads.
public final class DualWriteStatusBoard: Sendable {
  private let status = Mutex(DualWriteStatus())

  /// A board that says `starting`.
  public init() {}

  /// The status now.
  public var current: DualWriteStatus { status.withLock { $0 } }

  /// Everything up to here is applied.
  public var applied: LSN { status.withLock { $0.applied } }

  func update(_ body: (inout DualWriteStatus) -> Void) { status.withLock { body(&$0) } }
}
