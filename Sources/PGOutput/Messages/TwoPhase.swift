/// `b`: a prepared transaction begins; everything up to `P` belongs to it (`logicalrep_write_begin_prepare`).
public struct BeginPrepare: Hashable, Sendable {
  /// Where the prepare record begins.
  public var prepareLSN: LSN
  /// Where it ends.
  public var endLSN: LSN
  /// When it was prepared.
  public var prepareTime: Timestamp
  /// Its number.
  public var xid: TransactionID
  /// The name given to `PREPARE TRANSACTION`.
  public var gid: String

  /// A beginning from its parts.
  public init(prepareLSN: LSN, endLSN: LSN, prepareTime: Timestamp, xid: TransactionID, gid: String) {
    self.prepareLSN = prepareLSN
    self.endLSN = endLSN
    self.prepareTime = prepareTime
    self.xid = xid
    self.gid = gid
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    prepareLSN = try reader.lsn("prepare LSN")
    endLSN = try reader.lsn("end LSN")
    prepareTime = try reader.timestamp("prepare time")
    xid = try reader.transactionID("transaction id")
    gid = try reader.string("gid")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.beginPrepare.rawValue)
    writer.lsn(prepareLSN)
    writer.lsn(endLSN)
    writer.timestamp(prepareTime)
    writer.transactionID(xid)
    writer.string(gid)
  }
}

/// `P` and `p`: a transaction, sent whole or streamed, is prepared: it will commit or be rolled back later, even
/// after a restart (`logicalrep_write_prepare`, `logicalrep_write_stream_prepare`: the same fields).
public struct Prepare: Hashable, Sendable {
  /// Where the prepare record begins.
  public var prepareLSN: LSN
  /// Where it ends.
  public var endLSN: LSN
  /// When it was prepared.
  public var prepareTime: Timestamp
  /// Its number.
  public var xid: TransactionID
  /// The name given to `PREPARE TRANSACTION`.
  public var gid: String

  /// A prepare from its parts.
  public init(prepareLSN: LSN, endLSN: LSN, prepareTime: Timestamp, xid: TransactionID, gid: String) {
    self.prepareLSN = prepareLSN
    self.endLSN = endLSN
    self.prepareTime = prepareTime
    self.xid = xid
    self.gid = gid
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    try reader.reservedFlags()
    prepareLSN = try reader.lsn("prepare LSN")
    endLSN = try reader.lsn("end LSN")
    prepareTime = try reader.timestamp("prepare time")
    xid = try reader.transactionID("transaction id")
    gid = try reader.string("gid")
  }

  /// Writes the message: `p` if it was streamed, else `P`.
  public func encode(streamed: Bool, to writer: inout WireWriter) {
    writer.uint8((streamed ? MessageTag.streamPrepare : .prepare).rawValue)
    writer.uint8(0)
    writer.lsn(prepareLSN)
    writer.lsn(endLSN)
    writer.timestamp(prepareTime)
    writer.transactionID(xid)
    writer.string(gid)
  }
}

/// `K`: a prepared transaction is committed (`logicalrep_write_commit_prepared`).
public struct CommitPrepared: Hashable, Sendable {
  /// Where the commit record begins.
  public var commitLSN: LSN
  /// Where it ends: the position to confirm, exactly.
  public var endLSN: LSN
  /// When it committed.
  public var commitTime: Timestamp
  /// The prepared transaction's number.
  public var xid: TransactionID
  /// Its name.
  public var gid: String

  /// A commit from its parts.
  public init(commitLSN: LSN, endLSN: LSN, commitTime: Timestamp, xid: TransactionID, gid: String) {
    self.commitLSN = commitLSN
    self.endLSN = endLSN
    self.commitTime = commitTime
    self.xid = xid
    self.gid = gid
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    try reader.reservedFlags()
    commitLSN = try reader.lsn("commit LSN")
    endLSN = try reader.lsn("end LSN")
    commitTime = try reader.timestamp("commit time")
    xid = try reader.transactionID("transaction id")
    gid = try reader.string("gid")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.commitPrepared.rawValue)
    writer.uint8(0)
    writer.lsn(commitLSN)
    writer.lsn(endLSN)
    writer.timestamp(commitTime)
    writer.transactionID(xid)
    writer.string(gid)
  }
}

/// `r`: a prepared transaction is rolled back (`logicalrep_write_rollback_prepared`).
public struct RollbackPrepared: Hashable, Sendable {
  /// Where the prepare record ended.
  public var prepareEndLSN: LSN
  /// Where the rollback record ends.
  public var rollbackEndLSN: LSN
  /// When it was prepared.
  public var prepareTime: Timestamp
  /// When it was rolled back.
  public var rollbackTime: Timestamp
  /// The prepared transaction's number.
  public var xid: TransactionID
  /// Its name.
  public var gid: String

  /// A rollback from its parts.
  public init(
    prepareEndLSN: LSN, rollbackEndLSN: LSN, prepareTime: Timestamp, rollbackTime: Timestamp,
    xid: TransactionID, gid: String
  ) {
    self.prepareEndLSN = prepareEndLSN
    self.rollbackEndLSN = rollbackEndLSN
    self.prepareTime = prepareTime
    self.rollbackTime = rollbackTime
    self.xid = xid
    self.gid = gid
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    try reader.reservedFlags()
    prepareEndLSN = try reader.lsn("prepare end LSN")
    rollbackEndLSN = try reader.lsn("rollback end LSN")
    prepareTime = try reader.timestamp("prepare time")
    rollbackTime = try reader.timestamp("rollback time")
    xid = try reader.transactionID("transaction id")
    gid = try reader.string("gid")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.rollbackPrepared.rawValue)
    writer.uint8(0)
    writer.lsn(prepareEndLSN)
    writer.lsn(rollbackEndLSN)
    writer.timestamp(prepareTime)
    writer.timestamp(rollbackTime)
    writer.transactionID(xid)
    writer.string(gid)
  }
}
