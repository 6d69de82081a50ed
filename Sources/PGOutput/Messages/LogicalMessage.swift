/// `M`: what an application said by `pg_logical_emit_message` (`logicalrep_write_message`).
public struct LogicalMessage: ~Escapable {
  /// The (sub)transaction, inside a streamed block.
  public let xid: TransactionID?
  /// The wire's flags: 1 transactional.
  public let flags: UInt8
  /// The message's position.
  public let lsn: LSN
  /// Whom it is for, as bytes.
  public let prefix: RawSpan
  /// What it says: any bytes.
  public let content: RawSpan

  /// Part of a transaction, between its beginning and end; one that is not comes at once, outside of them, also
  /// from a transaction that is rolled back.
  public var isTransactional: Bool { flags & 1 != 0 }

  /// A message from its parts. A prefix with a NUL in it cannot be sent.
  @_lifetime(copy prefix, copy content)
  public init(
    xid: TransactionID? = nil, isTransactional: Bool, lsn: LSN, prefix: RawSpan, content: RawSpan
  ) {
    self.xid = xid
    flags = isTransactional ? 1 : 0
    self.lsn = lsn
    self.prefix = prefix
    self.content = content
  }

  /// Reads what follows the tag.
  @_lifetime(copy reader)
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    flags = try reader.uint8("flags")
    lsn = try reader.lsn("LSN")
    prefix = try reader.terminated("prefix")
    content = try reader.span(try reader.length("content's length"), "content")
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.message.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint8(flags)
    writer.lsn(lsn)
    writer.terminated(prefix)
    writer.uint32(UInt32(truncatingIfNeeded: content.byteCount))
    writer.span(content)
  }
}
