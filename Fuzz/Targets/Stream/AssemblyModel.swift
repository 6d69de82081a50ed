@testable import PGOutput

/// What a stream means, as naively as it can be said: everything that came is kept as it came, and each question is
/// answered by looking through it.
struct AssemblyModel {
  /// What the assembler is to make of a message.
  enum Expected: Equatable {
    case refusal
    case nothing
    case change(TransactionID, ordinal: Int, tables: [Relation])
    case forget(TransactionID, from: Int)
    case discard(TransactionID)
    case commit(CommittedTransaction)
    case message
    case commitUnseen(TransactionID)
  }

  private enum State: Equatable {
    case ordinary(LSN)
    case preparing
    case streamed
    case prepared
  }

  private enum Entry {
    /// A change of a (sub)transaction: the message that brought it.
    case change(TransactionID, [UInt8])
    case relation(TransactionID, Relation, arrival: Int)
    case type(TransactionID)

    var owner: TransactionID {
      switch self {
      case .change(let owner, _), .relation(let owner, _, _), .type(let owner): owner
      }
    }

    var isChange: Bool {
      if case .change = self { return true }
      return false
    }
  }

  private struct Transaction {
    var state: State
    var gid: String?
    var origin: Origin?
    var entries: [Entry] = []

    var changes: [[UInt8]] {
      entries.compactMap { entry in
        if case .change(_, let bytes) = entry { return bytes }
        return nil
      }
    }
  }

  private var open: [TransactionID: Transaction] = [:]
  private var block: TransactionID?
  private var isInsideStream = false
  private var connection: [(relation: Relation, arrival: Int)] = []
  private var arrivals = 0
  /// The changes of the transaction that committed last.
  private(set) var committed: [[UInt8]] = []

  /// As `TransactionAssembler.unfinished`.
  var unfinished: [UnfinishedTransaction] {
    open.sorted { $0.key.rawValue < $1.key.rawValue }.map { xid, transaction in
      let state: UnfinishedTransaction.State =
        switch transaction.state {
        case .ordinary, .preparing: .open
        case .streamed: .streamed
        case .prepared: .prepared
        }
      return UnfinishedTransaction(
        xid: xid, state: state, gid: transaction.gid, changeCount: transaction.changes.count)
    }
  }

  /// What the next message means; `bytes` are its own.
  mutating func take(_ message: borrowing Message, bytes: [UInt8]) -> Expected {
    switch message {
    case .begin(let begin): return start(begin.xid, Transaction(state: .ordinary(begin.finalLSN)))
    case .beginPrepare(let begin):
      return start(begin.xid, Transaction(state: .preparing, gid: begin.gid))
    case .streamStart(let start) where start.isFirstSegment:
      let expected = self.start(start.xid, Transaction(state: .streamed))
      isInsideStream = expected != .refusal
      return expected
    case .streamStart(let start):
      guard block == nil, open[start.xid]?.state == .streamed else { return .refusal }
      block = start.xid
      isInsideStream = true
      return .nothing
    case .streamStop:
      guard isInsideStream else { return .refusal }
      isInsideStream = false
      block = nil
      return .nothing
    case .commit(let commit):
      guard let block, open[block]?.state == .ordinary(commit.commitLSN) else { return .refusal }
      self.block = nil
      return end(block, commit.commitLSN, commit.endLSN, commit.commitTime)
    case .streamCommit(let commit):
      guard block == nil, open[commit.xid]?.state == .streamed else { return .refusal }
      handOver(commit.xid)
      return end(commit.xid, commit.commitLSN, commit.endLSN, commit.commitTime)
    case .prepare(let prepare):
      guard block == prepare.xid, open[prepare.xid]?.state == .preparing else { return .refusal }
      block = nil
      return prepared(prepare)
    case .streamPrepare(let prepare):
      guard block == nil, open[prepare.xid]?.state == .streamed else { return .refusal }
      handOver(prepare.xid)
      return prepared(prepare)
    case .commitPrepared(let commit):
      guard block == nil else { return .refusal }
      guard open[commit.xid]?.state == .prepared else { return .commitUnseen(commit.xid) }
      return end(commit.xid, commit.commitLSN, commit.endLSN, commit.commitTime)
    case .rollbackPrepared(let rollback):
      guard block == nil else { return .refusal }
      return open.removeValue(forKey: rollback.xid) == nil ? .nothing : .discard(rollback.xid)
    case .streamAbort(let abort): return take(abort)
    case .origin(let origin):
      guard let block else { return .refusal }
      open[block]?.origin = origin
      return .nothing
    case .relation(let relation):
      arrivals += 1
      if isInsideStream, let block {
        open[block]?.entries.append(.relation(relation.xid ?? block, relation, arrival: arrivals))
      } else {
        connection.append((relation, arrivals))
      }
      return .nothing
    case .type(let type):
      if let block { open[block]?.entries.append(.type(type.xid ?? block)) }
      return .nothing
    case .insert(let insert): return row(RowChange(insert), bytes)
    case .update(let update): return row(RowChange(update), bytes)
    case .delete(let delete): return row(RowChange(delete), bytes)
    case .truncate(let truncate): return change(truncate.xid, truncate.relations, [], bytes)
    case .message(let message):
      return message.isTransactional ? change(message.xid, [], [], bytes) : .message
    }
  }

  private mutating func start(_ xid: TransactionID, _ transaction: Transaction) -> Expected {
    guard block == nil else { return .refusal }
    block = xid
    return open.updateValue(transaction, forKey: xid) == nil ? .nothing : .discard(xid)
  }

  private mutating func prepared(_ prepare: Prepare) -> Expected {
    open[prepare.xid]?.state = .prepared
    open[prepare.xid]?.gid = prepare.gid
    return .nothing
  }

  private mutating func end(_ xid: TransactionID, _ commit: LSN, _ end: LSN, _ time: Timestamp) -> Expected {
    guard let transaction = open.removeValue(forKey: xid) else { return .refusal }
    committed = transaction.changes
    return .commit(
      CommittedTransaction(
        xid: xid, commitLSN: commit, endLSN: end, commitTime: time, origin: transaction.origin,
        gid: transaction.gid, changeCount: committed.count))
  }

  /// The tables described inside the transaction's blocks count for the connection from now on.
  private mutating func handOver(_ xid: TransactionID) {
    for case .relation(_, let relation, let arrival) in open[xid]?.entries ?? [] {
      connection.append((relation, arrival))
    }
  }

  private mutating func take(_ abort: StreamAbort) -> Expected {
    if isInsideStream { return .refusal }
    guard let transaction = open[abort.xid], transaction.state == .streamed else { return .nothing }
    if abort.subxid == abort.xid {
      open[abort.xid] = nil
      return .discard(abort.xid)
    }
    guard let first = transaction.entries.firstIndex(where: { $0.owner == abort.subxid }) else {
      return .nothing
    }
    let kept = transaction.entries[..<first]
    open[abort.xid]?.entries = Array(kept)
    let changes = kept.count(where: \.isChange)
    return changes < transaction.changes.count ? .forget(abort.xid, from: changes) : .nothing
  }

  private func described(_ id: RelationID) -> Relation? {
    if isInsideStream, let block {
      for case .relation(_, let relation, _) in (open[block]?.entries ?? []).reversed()
      where relation.id == id {
        return relation
      }
    }
    return connection.filter { $0.relation.id == id }.max { $0.arrival < $1.arrival }?.relation
  }

  private mutating func row(_ row: RowChange, _ bytes: [UInt8]) -> Expected {
    let counts = [row.old?.columnCount, row.new?.columnCount].compactMap(\.self)
    return change(row.xid, [row.relation], counts, bytes)
  }

  private mutating func change(
    _ xid: TransactionID?, _ ids: [RelationID], _ columnCounts: [Int], _ bytes: [UInt8]
  ) -> Expected {
    guard let block else { return .refusal }
    var tables: [Relation] = []
    for id in ids {
      guard var table = described(id), columnCounts.allSatisfy({ $0 == table.columns.count }) else {
        return .refusal
      }
      table.xid = nil
      tables.append(table)
    }
    let ordinal = open[block]?.changes.count ?? 0
    open[block]?.entries.append(.change(xid ?? block, bytes))
    return .change(block, ordinal: ordinal, tables: tables)
  }
}
