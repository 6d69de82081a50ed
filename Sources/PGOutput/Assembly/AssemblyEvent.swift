/// What a message means for the transactions it belongs to: exactly one event a message.
public enum AssemblyEvent: ~Escapable {
  /// Nothing to do.
  case nothing
  /// Keep a change until its transaction commits.
  case change(Change)
  /// Forget the transaction's changes from this ordinal on: a subtransaction was rolled back.
  case forget(TransactionID, from: Int)
  /// Forget the transaction: it was rolled back, or is being sent anew.
  case discard(TransactionID)
  /// The transaction is committed: its changes are final.
  case commit(CommittedTransaction)
  /// A message that belongs to no transaction.
  case message(LogicalMessage)
  /// A prepared transaction is committed whose changes came before the stream begins.
  case commitUnseen(CommitPrepared)
}

/// What is known of a transaction once it is committed.
public struct CommittedTransaction: Hashable, Sendable {
  /// Its number.
  public var xid: TransactionID
  /// Where the commit record begins.
  public var commitLSN: LSN
  /// Where it ends: its place in the order of commits.
  public var endLSN: LSN
  /// When it committed.
  public var commitTime: Timestamp
  /// Where it was replicated from.
  public var origin: Origin?
  /// The name under which it was prepared.
  public var gid: String?
  /// How many changes it has.
  public var changeCount: Int
}

/// A transaction whose end has not come.
public struct UnfinishedTransaction: Hashable, Sendable {
  /// How far it got.
  public enum State: Hashable, Sendable {
    /// Sent in part, without its commit.
    case open
    /// Sent in part, in progress when it was sent.
    case streamed
    /// Prepared; waits for COMMIT PREPARED or ROLLBACK PREPARED.
    case prepared
  }

  /// Its number.
  public var xid: TransactionID
  /// How far it got.
  public var state: State
  /// The name under which it is prepared.
  public var gid: String?
  /// How many changes of it came.
  public var changeCount: Int
}
