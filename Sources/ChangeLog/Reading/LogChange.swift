public import PGOutput

/// One change of the log. Its message is decoded when it is asked for; until then it is a view of the frame it stands
/// in, whose memory lives as long as the change does.
public struct LogChange: Sendable {
  /// What happened.
  public enum Kind: String, Hashable, Sendable {
    /// A row came.
    case insert
    /// A row changed.
    case update
    /// A row went.
    case delete
    /// Tables were emptied.
    case truncate
    /// An application's message.
    case message
  }

  /// What happened.
  public let kind: Kind
  /// The transaction it belongs to.
  public let transaction: LogTransaction.Head
  /// Its number in the transaction, from 0.
  public let ordinal: UInt64

  let table: DescribedTable?
  let emptied: [Relation]?
  let record: StoredRecord

  /// The table as it was described when the row changed; of a truncation the first; nil for a message.
  public var relation: Relation? { table?.relation }

  /// The tables of a truncation; of anything else there are none.
  public var truncated: [Relation] { emptied ?? [] }

  /// Its position: to go on after it.
  public var position: Position { Position(endLSN: transaction.end, ordinal: ordinal) }

  /// The LSN that came with the message. Not a position: several changes may share it.
  public var walStart: LSN { record.walStart }

  /// Calls `body` with the message, decoded over the log's own bytes.
  public func withMessage<R>(_ body: (borrowing Message) throws(ChangeLogError) -> R) throws(ChangeLogError)
    -> R
  {
    try record.withPayload { payload throws(ChangeLogError) in
      let message: Message
      do throws(DecodeError) { message = try Message(decoding: payload) } catch {
        throw record.malformed(error)
      }
      return try body(message)
    }
  }

  /// Calls `body` with the row, and its table; nil when the change is none of a row.
  public func withRow<R>(
    _ body: (borrowing RowChange, Relation) throws(ChangeLogError) -> R
  ) throws(ChangeLogError) -> R? {
    guard let table else { return nil }
    return try record.withPayload { payload throws(ChangeLogError) in
      let decoded: RowChange?
      do throws(DecodeError) { decoded = try RowChange(decoding: payload) } catch {
        throw record.malformed(error)
      }
      guard let row = decoded else { return nil }
      for columns in [row.old?.columnCount, row.new?.columnCount] {
        guard let columns, columns != table.relation.columns.count else { continue }
        throw record.malformed(table.mismatch(columns))
      }
      return try body(row, table.relation)
    }
  }

  /// A column of the row as it became; nil where there is no such row or column.
  public func new(_ column: String) throws(ChangeLogError) -> ColumnImage? {
    try image(column) { row, _ in row.new }
  }

  /// A column of the row as it was; nil where that was not sent: of a row known by its key, only the key is.
  public func old(_ column: String) throws(ChangeLogError) -> ColumnImage? {
    try image(column) { row, column in row.isOldFull || column.isKey ? row.old : nil }
  }

  @inline(__always)
  private func image(
    _ column: String, of tuple: (RowBytes, Column) -> RowBytes.Tuple?
  ) throws(ChangeLogError) -> ColumnImage? {
    guard let table, emptied == nil else { return nil }
    let columns = table.relation.columns
    return try record.withRow { row throws(ChangeLogError) in
      if let reason = table.mismatch(row) { throw record.malformed(reason) }
      guard let index = table.index(of: column), let tuple = tuple(row, columns[index]) else { return nil }
      return row.image(index, of: tuple)
    }
  }
}
