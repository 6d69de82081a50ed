/// `S`: a block of a transaction still in progress begins (`logicalrep_write_stream_start`).
public struct StreamStart: Hashable, Sendable {
  /// The top-level transaction.
  public var xid: TransactionID
  /// The first block: whatever was kept of this transaction before is void.
  public var isFirstSegment: Bool

  /// A beginning from its parts.
  public init(xid: TransactionID, isFirstSegment: Bool) {
    self.xid = xid
    self.isFirstSegment = isFirstSegment
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    xid = try reader.transactionID("transaction id")
    let first = try reader.uint8("first segment")
    guard first <= 1 else { throw reader.unexpected("first segment", byte: first, allowed: "0, 1") }
    isFirstSegment = first == 1
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.streamStart.rawValue)
    writer.transactionID(xid)
    writer.uint8(isFirstSegment ? 1 : 0)
  }
}

/// `E`: the block ends; the transaction goes on (`logicalrep_write_stream_stop`).
public struct StreamStop: Hashable, Sendable {
  /// An end.
  public init() {}

  /// Writes the message.
  public func encode(to writer: inout WireWriter) { writer.uint8(MessageTag.streamStop.rawValue) }
}

/// `c`: a streamed transaction is committed (`logicalrep_write_stream_commit`).
public struct StreamCommit: Hashable, Sendable {
  /// The top-level transaction.
  public var xid: TransactionID
  /// Where the commit record begins.
  public var commitLSN: LSN
  /// Where it ends: the position to confirm, exactly.
  public var endLSN: LSN
  /// When it committed.
  public var commitTime: Timestamp

  /// A commit from its parts.
  public init(xid: TransactionID, commitLSN: LSN, endLSN: LSN, commitTime: Timestamp) {
    self.xid = xid
    self.commitLSN = commitLSN
    self.endLSN = endLSN
    self.commitTime = commitTime
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader) throws(DecodeError) {
    xid = try reader.transactionID("transaction id")
    try reader.reservedFlags()
    commitLSN = try reader.lsn("commit LSN")
    endLSN = try reader.lsn("end LSN")
    commitTime = try reader.timestamp("commit time")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.streamCommit.rawValue)
    writer.transactionID(xid)
    writer.uint8(0)
    writer.lsn(commitLSN)
    writer.lsn(endLSN)
    writer.timestamp(commitTime)
  }
}

/// `A`: a streamed transaction, or a part of it, is rolled back (`logicalrep_write_stream_abort`).
public struct StreamAbort: Hashable, Sendable {
  /// When and where; sent only with `streaming = parallel`.
  public struct Place: Hashable, Sendable {
    /// The abort's position.
    public var lsn: LSN
    /// When it was.
    public var time: Timestamp

    /// A place from its parts.
    public init(lsn: LSN, time: Timestamp) {
      self.lsn = lsn
      self.time = time
    }
  }

  /// The top-level transaction.
  public var xid: TransactionID
  /// The subtransaction; the same number when all is rolled back.
  public var subxid: TransactionID
  /// When and where, with `streaming = parallel`.
  public var place: Place?

  /// An abort from its parts.
  public init(xid: TransactionID, subxid: TransactionID, place: Place? = nil) {
    self.xid = xid
    self.subxid = subxid
    self.place = place
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.transactionID("transaction id")
    subxid = try reader.transactionID("subtransaction id")
    switch format.abortLayout {
    case .short: place = nil
    case .long: place = try Place(lsn: reader.lsn("abort LSN"), time: reader.timestamp("abort time"))
    case .byLength where reader.left == 0: place = nil
    case .byLength: place = try Place(lsn: reader.lsn("abort LSN"), time: reader.timestamp("abort time"))
    }
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.streamAbort.rawValue)
    writer.transactionID(xid)
    writer.transactionID(subxid)
    if let place {
      writer.lsn(place.lsn)
      writer.timestamp(place.time)
    }
  }
}
