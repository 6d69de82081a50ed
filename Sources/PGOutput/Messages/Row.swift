/// `I`: a row was inserted (`logicalrep_write_insert`).
public struct Insert: ~Escapable {
  /// The (sub)transaction, inside a streamed block.
  public let xid: TransactionID?
  /// The table.
  public let relation: RelationID
  /// The row.
  public let new: TupleView

  /// An insert from its parts.
  @_lifetime(copy new)
  public init(xid: TransactionID? = nil, relation: RelationID, new: TupleView) {
    self.xid = xid
    self.relation = relation
    self.new = new
  }

  /// Reads what follows the tag.
  @_lifetime(copy reader)
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    relation = RelationID(rawValue: try reader.uint32("relation id"))
    try reader.rowMark("new row", allowed: "N") { $0 == RowMark.new }
    new = try TupleView(from: &reader)
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.insert.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(relation.rawValue)
    writer.uint8(RowMark.new)
    new.encode(to: &writer)
  }
}

/// `U`: a row was updated (`logicalrep_write_update`). Without an old row, the key did not change.
public struct Update: ~Escapable {
  /// The (sub)transaction, inside a streamed block.
  public let xid: TransactionID?
  /// The table.
  public let relation: RelationID
  /// What the old row is.
  public let oldKind: OldRowKind
  /// The old row: its key, or all of it.
  public let old: TupleView?
  /// The new row.
  public let new: TupleView

  /// An update that did not change the key.
  @_lifetime(copy new)
  public init(xid: TransactionID? = nil, relation: RelationID, new: TupleView) {
    self.xid = xid
    self.relation = relation
    oldKind = .none
    old = nil
    self.new = new
  }

  /// An update with its old row.
  @_lifetime(copy old, copy new)
  public init(
    xid: TransactionID? = nil, relation: RelationID, oldKind: OldRowKind, old: TupleView, new: TupleView
  ) {
    self.xid = xid
    self.relation = relation
    self.oldKind = oldKind
    self.old = oldKind == .none ? nil : old
    self.new = new
  }

  /// Reads what follows the tag.
  @_lifetime(copy reader)
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    relation = RelationID(rawValue: try reader.uint32("relation id"))
    let mark = try reader.rowMark("old or new row", allowed: "K, O, N") { OldRowKind(mark: $0) != nil }
    oldKind = OldRowKind(mark: mark) ?? .none
    if oldKind == .none {
      old = nil
    } else {
      old = try TupleView(from: &reader)
      try reader.rowMark("new row", allowed: "N") { $0 == RowMark.new }
    }
    new = try TupleView(from: &reader)
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.update.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(relation.rawValue)
    if let old {
      writer.uint8(oldKind.rawValue)
      old.encode(to: &writer)
    }
    writer.uint8(RowMark.new)
    new.encode(to: &writer)
  }
}

/// `D`: a row was deleted (`logicalrep_write_delete`).
public struct Delete: ~Escapable {
  /// The (sub)transaction, inside a streamed block.
  public let xid: TransactionID?
  /// The table.
  public let relation: RelationID
  /// What the old row is: a key or a full row.
  public let oldKind: OldRowKind
  /// The old row: its key, or all of it.
  public let old: TupleView

  /// A delete from its parts; an old row that is not said to be full is a key.
  @_lifetime(copy old)
  public init(xid: TransactionID? = nil, relation: RelationID, oldKind: OldRowKind, old: TupleView) {
    self.xid = xid
    self.relation = relation
    self.oldKind = oldKind == .full ? .full : .key
    self.old = old
  }

  /// Reads what follows the tag.
  @_lifetime(copy reader)
  init(from reader: inout WireReader, format: StreamFormat) throws(DecodeError) {
    xid = try reader.streamedTransactionID(format)
    relation = RelationID(rawValue: try reader.uint32("relation id"))
    let mark = try reader.rowMark("old row", allowed: "K, O") {
      $0 == OldRowKind.key.rawValue || $0 == OldRowKind.full.rawValue
    }
    oldKind = OldRowKind(mark: mark) ?? .key
    old = try TupleView(from: &reader)
  }

  /// Writes the message.
  public func encode(to writer: inout WireWriter) {
    writer.uint8(MessageTag.delete.rawValue)
    writer.streamedTransactionID(xid)
    writer.uint32(relation.rawValue)
    writer.uint8(oldKind.rawValue)
    old.encode(to: &writer)
  }
}
