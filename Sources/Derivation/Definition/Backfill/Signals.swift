extension SlotDefinition {
  /// What slows the backfill down and holds it: values of the servers, each with a limit.
  public struct Signals: Hashable, Sendable {
    /// The limits of those that are on.
    public var limits: [Signal: SignalLimit]
    /// Questions of one's own.
    public var queries: [SignalQuery]
    /// A file that holds the backfill while it exists; nil for none.
    public var flagFile: String?

    /// Signals; without arguments those that are on by themselves.
    public init(
      limits: [Signal: SignalLimit] = Self.standard, queries: [SignalQuery] = [], flagFile: String? = nil
    ) {
      self.limits = limits
      self.queries = queries
      self.flagFile = flagFile
    }

    /// On unless they are turned off: standbys that lag, and a slot that is about to be lost.
    public static let standard: [Signal: SignalLimit] = [
      .replicaLag: SignalLimit(10_000), .slotRoom: SignalLimit(20),
    ]

    /// Nothing slows it down.
    public static let none = Signals(limits: [:])
  }

  /// A value that can hold the backfill.
  public enum Signal: String, CaseIterable, Sendable {
    /// How long the slowest standby is behind in replaying.
    case replicaLag = "replica_lag"
    /// How many bytes of WAL it has not replayed.
    case replicaBytes = "replica_bytes"
    /// Bytes of WAL that our slot has not confirmed.
    case slotLag = "slot_lag"
    /// What is left of the WAL that our slot may keep, in percent of `max_slot_wal_keep_size`: the limit is the least.
    case slotRoom = "slot_room"
    /// Bytes of WAL that the worst of all other slots keeps.
    case otherSlots = "other_slots"
    /// Bytes of WAL that the server writes a second.
    case walRate = "wal_rate"
    /// WAL files that wait to be archived.
    case archiveQueue = "archive_queue"
    /// Dead rows among the table's rows, in percent.
    case deadRows = "dead_rows"
    /// Vacuums that work on the table.
    case vacuums
    /// Sessions that run a statement, without ours.
    case activeSessions = "active_sessions"
    /// Sessions that wait for a lock.
    case lockWaiters = "lock_waiters"
    /// How long the oldest transaction has been open.
    case oldestTransaction = "oldest_transaction"
    /// How long the oldest change waits that is logged and not applied.
    case dualWriteLag = "dual_write_lag"

    /// What its value and limit are counted in.
    public enum Unit: Sendable {
      /// Milliseconds, written as a duration.
      case duration
      /// Bytes, written as a size.
      case size
      /// Percent, written with the sign.
      case percent
      /// A number.
      case count
    }

    /// What its value and limit are counted in.
    public var unit: Unit {
      switch self {
      case .replicaLag, .oldestTransaction, .dualWriteLag: .duration
      case .replicaBytes, .slotLag, .otherSlots, .walRate: .size
      case .deadRows, .slotRoom: .percent
      case .archiveQueue, .vacuums, .activeSessions, .lockWaiters: .count
      }
    }

    /// Whether the limit is the least that is allowed, not the most.
    public var isFloor: Bool { self == .slotRoom }
  }

  /// From where on a signal holds.
  public struct SignalLimit: Hashable, Sendable {
    /// The limit, in the signal's unit.
    public var value: Double
    /// What is done while the value is not known, or too old.
    public var onUnknown: OnUnknown

    /// A limit; what is unknown holds unless told otherwise.
    public init(_ value: Double, onUnknown: OnUnknown = .stop) {
      self.value = value
      self.onUnknown = onUnknown
    }
  }

  /// What is done while a signal's value is not known.
  public enum OnUnknown: String, CaseIterable, Sendable {
    /// The backfill is held.
    case stop
    /// It goes on.
    case ignore
  }

  /// A question of one's own: a number that holds from its limit on, or a truth that holds while it is true.
  public struct SignalQuery: Hashable, Sendable {
    /// What it is called.
    public var name: String
    /// A query of one row and one column.
    public var sql: String
    /// The limit; a truth counts as 1.
    public var limit: SignalLimit

    /// A question from its parts.
    public init(name: String, sql: String, limit: SignalLimit) {
      self.name = name
      self.sql = sql
      self.limit = limit
    }
  }
}
