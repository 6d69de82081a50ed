/// What application traffic should be like.
public struct WorkloadPlan: Sendable {
  /// Sessions, each with a thread of its own.
  public var writers = 2
  /// Transactions a second, all writers together, arriving at random (Poisson) whether or not earlier ones have been
  /// answered; nil is as fast as possible, one after the other.
  public var transactionsPerSecond: Double?
  /// The same seed draws the same transactions for each writer; what the server answers still decides how they go on.
  public var seed: UInt64 = 1
  /// How often each kind of transaction comes.
  public var mix = Mix()
  /// Which column the application reads and writes.
  public var column = Column.status
  /// How long to try to come back when a session is lost; nil counts a lost session as an error and ends the writer.
  public var reconnectLimit: Duration?
  /// How long one statement may take before its session is given up, in milliseconds.
  public var statementLimit_ms = 60_000

  /// Two writers, as fast as possible.
  public init() {}

  /// A column that holds a transaction's state.
  public enum Column: String, Hashable, Sendable {
    /// The old one: an application that was not changed.
    case status
    /// The new one: an application that knows no other. It inserts with the old one's default.
    case state = "state_id"
  }

  /// Weights; a kind of weight zero does not occur.
  public struct Mix: Hashable, Sendable {
    /// A new transaction, authorized or declined: one statement.
    public var insert = 45
    /// The next step of a transaction this writer knows: one statement.
    public var move = 40
    /// The next step of any transaction: read, then moved if nobody was faster.
    public var history = 10
    /// Two to twelve inserts and moves in one database transaction.
    public var batch = 4
    /// An insert and a move that are rolled back.
    public var rollback = 1
    /// A move, and another that is rolled back to a savepoint.
    public var savepoint = 1
    /// A transaction this writer knows, deleted.
    public var delete = 0

    /// Authorizations and their next steps, few batches, no deletes.
    public init() {}
  }
}
