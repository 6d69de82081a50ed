/// A message that cannot stand where it stands.
public enum AssemblyError: Error, Hashable, Sendable {
  /// It begins or ends something while a transaction's block is open.
  case insideBlock(MessageTag, of: TransactionID)
  /// It belongs in a transaction, and none is open.
  case outsideBlock(MessageTag)
  /// It ends another transaction than the one that is open.
  case otherTransaction(MessageTag, expected: TransactionID, found: TransactionID)
  /// The commit's position is not the one that was announced.
  case otherCommit(announced: LSN, found: LSN)
  /// It goes on with a transaction that was never begun.
  case unknownTransaction(MessageTag, TransactionID)
  /// It changes a table that was never described.
  case unknownRelation(RelationID)
  /// It has another number of columns than its table.
  case columnCount(relation: String, described: Int, sent: Int)
}

extension AssemblyError: CustomStringConvertible {
  /// One sentence.
  public var description: String {
    switch self {
    case .insideBlock(let tag, let xid): "\(tag.name) inside a block of transaction \(xid)"
    case .outsideBlock(let tag): "\(tag.name) outside of a transaction"
    case .otherTransaction(let tag, let expected, let found):
      "\(tag.name) of transaction \(found) inside a block of transaction \(expected)"
    case .otherCommit(let announced, let found):
      "the commit stands at \(found), but was announced for \(announced)"
    case .unknownTransaction(let tag, let xid):
      "\(tag.name) of transaction \(xid), of which no beginning was seen"
    case .unknownRelation(let id): "a change of table \(id), which no Relation message has described"
    case .columnCount(let relation, let described, let sent):
      "a row of \(relation) has \(sent) columns, but the table was described with \(described)"
    }
  }
}
