extension SlotDefinition {
  /// How the backfill writes, and what holds it.
  public struct Backfill: Hashable, Sendable {
    /// The most rows in one statement.
    public var batch: Int
    /// The rest between two batches.
    public var pause: Milliseconds
    /// How long a statement should take: the rows of a batch follow from it.
    public var target: Milliseconds
    /// The most WAL that one batch should write.
    public var wal: ByteCount
    /// `lock_timeout`: how long a batch waits for a row that somebody else holds, before it goes on without it.
    public var lockTimeout: Milliseconds
    /// Whether the application's triggers fire on the rows that are derived.
    public var triggers: Triggers
    /// When it may work; always, where there are none.
    public var windows: [MaintenanceWindow]
    /// What slows it down and holds it.
    public var signals: Signals

    /// The settings; each has its default.
    public init(
      batch: Int = 5_000, pause: Milliseconds = Milliseconds(0), target: Milliseconds = Milliseconds(250),
      wal: ByteCount = .mebibytes(16), lockTimeout: Milliseconds = Milliseconds(200),
      triggers: Triggers = .leaveAlone, windows: [MaintenanceWindow] = [], signals: Signals = Signals()
    ) {
      self.batch = batch
      self.pause = pause
      self.target = target
      self.wal = wal
      self.lockTimeout = lockTimeout
      self.triggers = triggers
      self.windows = windows
      self.signals = signals
    }
  }

  /// Whether the application's triggers fire on the rows that the backfill derives.
  public enum Triggers: String, CaseIterable, Sendable {
    /// They do not, where the role may set `session_replication_role`; where it may not, they fire, and it is said.
    case leaveAlone = "leave-alone"
    /// They do.
    case fire
  }
}
