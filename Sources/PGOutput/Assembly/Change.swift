/// A change, with what it takes to understand it, as part of its transaction.
public struct Change: ~Escapable {
  /// What changed.
  public enum Content: ~Escapable {
    /// A row, and the table as it was described when the change came.
    case row(RowChange, Relation)
    /// Tables were emptied.
    case truncate(Truncate, [Relation])
    /// An application's message.
    case message(LogicalMessage)
  }

  /// The (top-level) transaction.
  public let transaction: TransactionID
  /// Its number in the transaction, from 0.
  public let ordinal: Int
  /// A subtransaction's first change: a rollback may forget everything from here on.
  public let mayBeCut: Bool
  /// What changed.
  public let content: Content

  @_lifetime(copy content)
  init(transaction: TransactionID, ordinal: Int, mayBeCut: Bool, content: Content) {
    self.transaction = transaction
    self.ordinal = ordinal
    self.mayBeCut = mayBeCut
    self.content = content
  }
}
