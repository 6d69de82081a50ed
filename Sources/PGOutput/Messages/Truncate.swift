/// `T`: tables were emptied, all at once (`logicalrep_write_truncate`).
public struct Truncate: Hashable, Sendable {
  /// The (sub)transaction, inside a streamed block.
  public var xid: TransactionID?
  /// The wire's flags: 1 CASCADE, 2 RESTART IDENTITY.
  public var flags: UInt8
  /// The tables.
  public var relations: [RelationID]

  /// `CASCADE`: tables that refer to these were emptied too; they are in the list where they are published.
  public var isCascade: Bool { flags & 1 != 0 }
  /// `RESTART IDENTITY`: the tables' sequences begin anew.
  public var restartsIdentity: Bool { flags & 2 != 0 }

  /// A truncate from its parts.
  public init(
    xid: TransactionID? = nil, isCascade: Bool = false, restartsIdentity: Bool = false,
    relations: [RelationID]
  ) {
    self.xid = xid
    flags = (isCascade ? 1 : 0) | (restartsIdentity ? 2 : 0)
    self.relations = relations
  }

  /// Reads what follows the tag.
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    let count = try reader.length("relation count")
    flags = try reader.uint8("flags")
    relations = []
    // No memory for a count that the bytes cannot hold.
    relations.reserveCapacity(min(count, reader.left / 4))
    for _ in 0..<count { relations.append(RelationID(rawValue: try reader.uint32("relation id"))) }
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.truncate.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(UInt32(truncatingIfNeeded: relations.count))
    writer.uint8(flags)
    for relation in relations { writer.uint32(relation.rawValue) }
  }
}
