import PGOutput
import Postgres

/// Shows what a stream commits, a line a record, in the order of commits, without what differs from run to run.
///
/// Transactions are numbered in that order; a table is named, and described by a TABLE line before the first row that
/// was described that way. A description that no row uses is not shown: how often it is sent is the server's affair.
struct RecordRenderer: RecordConsumer {
  private struct Pending {
    var tables: [Relation]
    var words: [String]
  }

  private var assembler = TransactionAssembler()
  private var pending: [TransactionID: [Pending]] = [:]
  private var described: [RelationID: Relation] = [:]
  private var types: TypeNames
  private var folder = LineFolder()
  private var transactions = 0
  private var lastEnd = LSN.invalid

  init(types: TypeNames) { self.types = types }

  /// What was shown, neighbours that differ only by counting up put together.
  var lines: [String] { folder.lines }

  /// Transactions that have not ended, as one would list them.
  var unfinished: [UnfinishedTransaction] { assembler.unfinished }

  /// Takes the next message.
  mutating func take(_ payload: RawSpan, format: StreamFormat) throws {
    let message = try Message(
      decoding: payload, format: format.insideStream(assembler.isInsideStream))
    if case .type(let type) = message { types.note(type) }
    switch try assembler.take(message) {
    case .nothing, .commitUnseen: break
    case .change(let change): try keep(change)
    case .forget(let xid, let ordinal):
      let count = pending[xid]?.count ?? 0
      if count > ordinal { pending[xid]?.removeSubrange(ordinal...) }
    case .discard(let xid): pending[xid] = nil
    case .commit(let transaction): try commit(transaction)
    case .message(let message): folder.add(0, ["-"] + words(of: message))
    }
  }

  /// The server has ended the stream with an error.
  mutating func serverError(_ error: ServerError) {
    // File names differ from run to run.
    folder.add(0, ["STREAM", "ERROR", error.message.replacing(/\/[0-9]+/, with: "/N")])
  }

  private mutating func keep(_ change: Change) throws {
    let xid = change.transaction
    let kept = pending[xid]?.count ?? 0
    guard kept == change.ordinal else {
      throw Disorder(what: "change \(change.ordinal) of \(xid) after \(kept)")
    }
    switch change.content {
    case .row(let row, let relation):
      pending[xid, default: []].append(Pending(tables: [relation], words: RowText.words(row, relation)))
    case .truncate(let truncate, let tables):
      var words = ["TRUNCATE", tables.map(\.shortName).joined(separator: ", ")]
      if truncate.isCascade { words.append("CASCADE") }
      if truncate.restartsIdentity { words.append("RESTART IDENTITY") }
      pending[xid, default: []].append(Pending(tables: tables, words: words))
    case .message(let message):
      pending[xid, default: []].append(Pending(tables: [], words: words(of: message)))
    }
  }

  private mutating func commit(_ transaction: CommittedTransaction) throws {
    guard transaction.endLSN > lastEnd else {
      throw Disorder(what: "a commit that ends at \(transaction.endLSN) after one at \(lastEnd)")
    }
    lastEnd = transaction.endLSN
    let changes = pending.removeValue(forKey: transaction.xid) ?? []
    guard changes.count == transaction.changeCount else {
      throw Disorder(what: "\(changes.count) changes kept of \(transaction.changeCount)")
    }
    // Up to 14 the server sends empty transactions; they leave nothing in the log.
    if changes.isEmpty { return }
    transactions += 1
    if let origin = transaction.origin { folder.add(transactions, ["ORIGIN", origin.name]) }
    for change in changes {
      for var table in change.tables {
        table.xid = nil
        guard described.updateValue(table, forKey: table.id) != table else { continue }
        folder.add(transactions, try words(of: table))
      }
      folder.add(transactions, change.words)
    }
  }

  private func words(of message: LogicalMessage) -> [String] {
    ["MESSAGE", ValueText.text([UInt8](message.prefix)), ValueText.text([UInt8](message.content))]
  }

  private mutating func words(of table: Relation) throws -> [String] {
    var columns: [String] = []
    for column in table.columns {
      columns.append("\(column.name) \(try types.name(of: column))\(column.isKey ? "*" : "")")
    }
    var words = ["TABLE", "\(table.shortName)(\(columns.joined(separator: ", ")))"]
    switch table.replicaIdentity {
    case .default: break
    case .nothing: words.append("NOTHING")
    case .full: words.append("FULL")
    case .index: words.append("INDEX")
    }
    return words
  }

  /// What no stream may hold.
  struct Disorder: Error { var what: String }
}

extension Relation {
  /// The name as one would write it with the usual search path.
  var shortName: String { namespace == "public" ? name : qualifiedName }
}
