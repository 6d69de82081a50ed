public import PGOutput
import Synchronization

/// Where capture stands, for `status`, metrics and the dual-write's confirmation.
public struct CaptureStatus: Sendable {
  /// What capture is doing, in one word and, where it waits, one sentence.
  public enum Phase: Sendable, Equatable {
    /// Connecting for the first time.
    case starting
    /// Reading the stream.
    case streaming
    /// The server is away; the reason, and the monotonic nanosecond since when.
    case reconnecting(reason: String, since: UInt64)
    /// The log's disk is full; nothing is confirmed.
    case diskFull(since: UInt64)
    /// Ended.
    case stopped
  }

  /// What capture is doing.
  public var phase = Phase.starting
  /// How far the server says it has sent.
  public var sent = LSN.invalid
  /// The last position received.
  public var received = LSN.invalid
  /// Everything up to here is durable in the log.
  public var logged = LSN.invalid
  /// What the slot was told.
  public var confirmed = LSN.invalid
  /// The last commit that stands in the log.
  public var lastCommit = LSN.invalid
  /// Transactions taken into the log since the start.
  public var transactions: UInt64 = 0
  /// Row changes and messages taken into the log since the start.
  public var changes: UInt64 = 0
  /// Our own transactions and empty ones that were dropped.
  public var skipped: UInt64 = 0
  /// Connections lost since the start.
  public var reconnects: UInt64 = 0
  /// The timeline of the server.
  public var timeline: UInt32 = 0
  /// Streamed transactions that have not ended.
  public var openStreams = 0
  /// The bytes of their records in the spool.
  public var spooledBytes = 0
  /// Transactions that are prepared and neither committed nor rolled back, the oldest first.
  public var prepared: [PreparedTransaction] = []
}

/// A capture status shared between threads.
public final class CaptureStatusBoard: Sendable {
  private let status = Mutex(CaptureStatus())

  /// A board that says `starting`.
  public init() {}

  /// The status now.
  public var current: CaptureStatus { status.withLock { $0 } }

  package func update(_ body: (inout CaptureStatus) -> Void) { status.withLock { body(&$0) } }
}
