public import PGOutput

/// A transaction that `PREPARE TRANSACTION` has left to be committed or rolled back later. Its changes stand in the
/// spool, durably: the server does not send them again.
public struct PreparedTransaction: Hashable, Sendable {
  /// Its number.
  public var xid: TransactionID
  /// The name it was prepared under.
  public var gid: String
  /// Where the prepare record begins.
  public var prepareLSN: LSN
  /// Where it ends.
  public var endLSN: LSN
  /// When it was prepared.
  public var prepareTime: Timestamp
  /// Row changes, truncations and messages that the log will get if it commits; 0 also for one of our own.
  public var changes: Int
  /// The bytes of its records.
  public var bytes: Int

  /// A prepared transaction from its parts.
  public init(
    xid: TransactionID, gid: String, prepareLSN: LSN, endLSN: LSN, prepareTime: Timestamp, changes: Int,
    bytes: Int
  ) {
    self.xid = xid
    self.gid = gid
    self.prepareLSN = prepareLSN
    self.endLSN = endLSN
    self.prepareTime = prepareTime
    self.changes = changes
    self.bytes = bytes
  }
}
