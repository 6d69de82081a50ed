import ChangeLog
import PGOutput

/// All that a change log holds of the ledger, in its order.
struct LoggedHistory: Sendable {
  struct Transaction: Hashable, Sendable {
    var xid: UInt32
    var commitEnd: LSN
    var steps: [RowStep] = []
  }

  enum Unreadable: Error {
    case noLog(directory: String)
    case outOfOrder(what: String)
    case row(what: String)
  }

  var transactions: [Transaction] = []

  init(_ transactions: [Transaction]) { self.transactions = transactions }

  /// Reads a log from its first position to its end.
  init(directory: String) throws {
    guard let summary = try ChangeLogWriter.inspect(directory: directory) else {
      throw Unreadable.noLog(directory: directory)
    }
    let reader = try LogReader(directory: directory, after: summary.start)
    var scribe = Scribe()
    while let chunk = try reader.next(timeout: .zero) {
      try chunk.withUnsafeBytes { bytes in
        var records = LogRecordIterator(bytes)
        while let record = try records.next() { try scribe.take(Message(decoding: record.payload.bytes)) }
      }
    }
    if scribe.open != nil { throw Unreadable.outOfOrder(what: "the log ends inside a transaction") }
    transactions = scribe.transactions
  }

  /// Reads a log from the first position that is held or can be restored.
  init(source: LogSource) throws {
    var scribe = Scribe()
    let units = try source.units()
    while try units.nextUnit() != nil {
      while let record = try units.nextRecord() {
        let bytes = try record.withPayload { payload throws(ChangeLogError) in
          (0..<payload.byteCount).map { payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
        try bytes.withUnsafeBytes { try scribe.take(Message(decoding: $0.bytes)) }
      }
    }
    transactions = scribe.transactions
  }

  /// Turns messages into transactions.
  private struct Scribe {
    struct Columns {
      var key: Int
      var status: Int
    }

    var transactions: [Transaction] = []
    var open: (xid: UInt32, steps: [RowStep])?
    var tables: [RelationID: Columns] = [:]

    mutating func take(_ message: Message) throws {
      switch message {
      case .begin(let begin):
        guard open == nil else { throw Unreadable.outOfOrder(what: "a begin inside a transaction") }
        open = (begin.xid.rawValue, [])
      case .commit(let commit):
        guard let done = open else { throw Unreadable.outOfOrder(what: "a commit outside a transaction") }
        transactions.append(Transaction(xid: done.xid, commitEnd: commit.endLSN, steps: done.steps))
        open = nil
      case .relation(let relation):
        guard let key = relation.columnIndex(named: "id"), let status = relation.columnIndex(named: "status")
        else { throw Unreadable.row(what: "relation \(relation.qualifiedName) has no id and status") }
        tables[relation.id] = Columns(key: key, status: status)
      case .insert(let insert): try add(.insert, insert.relation, insert.new)
      case .update(let update): try add(.move, update.relation, update.new)
      case .delete(let delete): try add(.delete, delete.relation, delete.old)
      default: break
      }
    }

    private mutating func add(_ kind: RowStep.Kind, _ relation: RelationID, _ tuple: TupleView) throws {
      guard let columns = tables[relation] else {
        throw Unreadable.row(what: "a change of an unknown relation")
      }
      guard let key = try text(tuple, columns.key).flatMap({ Int64($0) }) else {
        throw Unreadable.row(what: "a change without its key")
      }
      let status = kind == .delete ? nil : try text(tuple, columns.status)
      guard open != nil else { throw Unreadable.outOfOrder(what: "a change outside a transaction") }
      open?.steps.append(RowStep(kind: kind, key: key, status: status))
    }

    private func text(_ tuple: TupleView, _ column: Int) throws -> String? {
      guard let value = tuple.column(at: column) else {
        throw Unreadable.row(what: "a row that is too short")
      }
      return value.bytes?.utf8String
    }
  }
}
