/// An insert, update or delete, seen alike: the fast path for those who apply rows. Nothing is copied.
public struct RowChange: ~Escapable {
  /// What happened to the row.
  public enum Kind: Sendable {
    /// It came.
    case insert
    /// It changed.
    case update
    /// It went.
    case delete
  }

  /// What happened.
  public let kind: Kind
  /// The (sub)transaction, inside a streamed block.
  public let xid: TransactionID?
  /// The table.
  public let relation: RelationID
  /// What the old row is.
  public let oldKind: OldRowKind
  /// The old row: its key, or all of it; nil when nothing of it was sent.
  public let old: TupleView?
  /// The new row; nil for a delete.
  public let new: TupleView?

  /// An insert.
  @_lifetime(copy insert)
  public init(_ insert: Insert) {
    kind = .insert
    xid = insert.xid
    relation = insert.relation
    oldKind = .none
    old = nil
    new = insert.new
  }

  /// An update.
  @_lifetime(copy update)
  public init(_ update: Update) {
    kind = .update
    xid = update.xid
    relation = update.relation
    oldKind = update.oldKind
    old = update.old
    new = update.new
  }

  /// A delete.
  @_lifetime(copy delete)
  public init(_ delete: Delete) {
    kind = .delete
    xid = delete.xid
    relation = delete.relation
    oldKind = delete.oldKind
    old = delete.old
    new = nil
  }

  /// Reads an insert, update or delete; nil for any other message, which is not looked at further.
  @_lifetime(copy payload)
  public init?(decoding payload: RawSpan, format: StreamFormat = .v1) throws(DecodeError) {
    var reader = WireReader(payload)
    switch MessageTag(rawValue: try reader.uint8("message")) {
    case .insert: self.init(try Insert(from: &reader, format: format))
    case .update: self.init(try Update(from: &reader, format: format))
    case .delete: self.init(try Delete(from: &reader, format: format))
    default: return nil
    }
    try reader.finish()
  }
}
