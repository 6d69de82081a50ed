/// `B`: a transaction begins; everything up to `C` belongs to it (`logicalrep_write_begin`).
public struct Begin: Hashable, Sendable {
  /// The commit record's position: equal to `Commit.commitLSN`.
  public var finalLSN: LSN
  /// When it committed.
  public var commitTime: Timestamp
  /// Its number.
  public var xid: TransactionID

  /// A beginning from its parts.
  public init(finalLSN: LSN, commitTime: Timestamp, xid: TransactionID) {
    self.finalLSN = finalLSN
    self.commitTime = commitTime
    self.xid = xid
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    finalLSN = try reader.lsn("final LSN")
    commitTime = try reader.timestamp("commit time")
    xid = try reader.transactionID("transaction id")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.begin.rawValue)
    writer.lsn(finalLSN)
    writer.timestamp(commitTime)
    writer.transactionID(xid)
  }
}

/// `C`: the transaction that `B` began is committed (`logicalrep_write_commit`).
public struct Commit: Hashable, Sendable {
  /// Where the commit record begins.
  public var commitLSN: LSN
  /// Where it ends: the position to confirm, exactly.
  public var endLSN: LSN
  /// When it committed.
  public var commitTime: Timestamp

  /// A commit from its parts.
  public init(commitLSN: LSN, endLSN: LSN, commitTime: Timestamp) {
    self.commitLSN = commitLSN
    self.endLSN = endLSN
    self.commitTime = commitTime
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    try reader.reservedFlags()
    commitLSN = try reader.lsn("commit LSN")
    endLSN = try reader.lsn("end LSN")
    commitTime = try reader.timestamp("commit time")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.commit.rawValue)
    writer.uint8(0)
    writer.lsn(commitLSN)
    writer.lsn(endLSN)
    writer.timestamp(commitTime)
  }
}

/// `O`: the transaction was replicated from elsewhere; stands right after `B`, `b` or the first `S`
/// (`logicalrep_write_origin`).
public struct Origin: Hashable, Sendable {
  /// The commit's position at the origin; `0/0` inside a streamed block, where it is not known yet.
  public var lsn: LSN
  /// The origin's name.
  public var name: String

  /// An origin from its parts.
  public init(lsn: LSN, name: String) {
    self.lsn = lsn
    self.name = name
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    lsn = try reader.lsn("origin LSN")
    name = try reader.string("origin name")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.origin.rawValue)
    writer.lsn(lsn)
    writer.string(name)
  }
}
