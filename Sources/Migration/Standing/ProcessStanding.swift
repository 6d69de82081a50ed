public import PGOutput

/// What `crossfade run` last said of itself.
public struct ProcessStanding: Sendable, Equatable {
  /// Its process.
  public var pid: Int32
  /// Whether that process lives.
  public var isAlive: Bool
  /// Seconds since it said so.
  public var age: Double
  /// What capture does: `streaming`.
  public var capturePhase: String
  /// What capture waits for, if anything.
  public var captureWaits: String?
  /// What the dual-write does: `applying`.
  public var dualWritePhase: String
  /// What the dual-write waits for, if anything.
  public var dualWriteWaits: String?
  /// How far the server had sent.
  public var sent: LSN?
  /// What was received.
  public var received: LSN?
  /// What was confirmed.
  public var confirmed: LSN?
  /// What was applied.
  public var applied: LSN?
  /// Streamed transactions that had not ended.
  public var openStreams: Int
  /// Bytes spooled of them.
  public var spooledBytes: Int
  /// Rows for which it is known what is to be written, and that are not written yet.
  public var pending: Int
  /// How the log is kept; nil when it said nothing of it.
  public var keeping: KeepingStanding?
  /// Who is being sent events.
  public var subscribers: [SubscriberStanding] = []
  /// Why it ended, when it was not asked to.
  public var failure: String?

  /// A standing from its parts.
  public init(
    pid: Int32, isAlive: Bool, age: Double, capturePhase: String, captureWaits: String?,
    dualWritePhase: String,
    dualWriteWaits: String?, sent: LSN? = nil, received: LSN? = nil, confirmed: LSN? = nil,
    applied: LSN? = nil, openStreams: Int = 0, spooledBytes: Int = 0, pending: Int = 0,
    keeping: KeepingStanding? = nil, failure: String? = nil
  ) {
    self.pid = pid
    self.isAlive = isAlive
    self.age = age
    self.capturePhase = capturePhase
    self.captureWaits = captureWaits
    self.dualWritePhase = dualWritePhase
    self.dualWriteWaits = dualWriteWaits
    self.sent = sent
    self.received = received
    self.confirmed = confirmed
    self.applied = applied
    self.openStreams = openStreams
    self.spooledBytes = spooledBytes
    self.pending = pending
    self.keeping = keeping
    self.failure = failure
  }

  /// It writes once a second; after this long, in seconds, something is wrong.
  public static let staleAfter = 5.0

  /// Whether it is running and says so.
  public var isCurrent: Bool { isAlive && age <= Self.staleAfter }
}
