/// Puts messages together to transactions: takes them in order, and says of each what it means.
///
/// Rules (`worker.c`, PostgreSQL 18):
/// 1. `B`..`C`, `b`..`P` and `S`..`E` are blocks; blocks are not nested.
/// 2. `C` stands at the LSN that `B` announced.
/// 3. `S` with its first segment voids what came of the transaction before; so does a new `B` or `b` of it.
/// 4. `A` of a subtransaction cuts at its first change; of the whole, it discards; of an unknown one, it is nothing
///    (PostgreSQL 18 sends such to protocol 1).
/// 5. A prepared transaction counts when `K` says so; `r` leaves nothing of it.
/// 6. A message that is not transactional belongs to no transaction, wherever it stands.
///
/// Invariant: `block` names a transaction in `open`. After an error the assembler is of no more use.
public struct TransactionAssembler: Sendable {
  private var relations = RelationCache()
  private var open: [TransactionID: OpenTransaction] = [:]
  /// The transaction whose block is open; set by `B`, `b`, `S`, cleared by `C`, `P`, `E`.
  private var block: TransactionID?

  /// An assembler for a stream's first message.
  public init() {}

  /// Whether the next message stands in a streamed block: changes carry their transaction id there.
  public private(set) var isInsideStream = false

  /// The transactions that have not ended, by number.
  public var unfinished: [UnfinishedTransaction] {
    open.sorted { $0.key.rawValue < $1.key.rawValue }.map { xid, transaction in
      let state: UnfinishedTransaction.State =
        switch transaction.state {
        case .ordinary, .preparing: .open
        case .streamed: .streamed
        case .prepared: .prepared
        }
      return UnfinishedTransaction(
        xid: xid, state: state, gid: transaction.gid, changeCount: transaction.changeCount)
    }
  }

  /// Takes the next message.
  @_lifetime(copy message)
  public mutating func take(_ message: Message) throws(AssemblyError) -> AssemblyEvent {
    switch message {
    case .begin(let begin): return try start(begin.xid, .ordinary(begin), tag: .begin)
    case .commit(let commit): return try finish(commit)
    case .origin(let origin):
      try change(.origin) { $0.origin = origin }
      return .nothing
    case .relation(let relation):
      describe(relation)
      return .nothing
    case .type(let type):
      if let block { open[block]?.note(type.xid, top: block) }
      return .nothing
    case .insert(let insert): return try row(RowChange(insert), tag: .insert)
    case .update(let update): return try row(RowChange(update), tag: .update)
    case .delete(let delete): return try row(RowChange(delete), tag: .delete)
    case .truncate(let truncate): return try take(truncate)
    case .message(let message):
      return message.isTransactional
        ? try keep(.message(message), of: message.xid, tag: .message) : .message(message)
    case .streamStart(let start): return try take(start)
    case .streamStop:
      guard isInsideStream else { throw .outsideBlock(.streamStop) }
      isInsideStream = false
      block = nil
      return .nothing
    case .streamCommit(let commit): return try finish(commit)
    case .streamAbort(let abort): return try take(abort)
    case .beginPrepare(let begin):
      let event = try start(begin.xid, .preparing, tag: .beginPrepare)
      open[begin.xid]?.gid = begin.gid
      return event
    case .prepare(let prepare): return try finish(prepare)
    case .streamPrepare(let prepare): return try finish(streamed: prepare)
    case .commitPrepared(let commit): return try finish(commit)
    case .rollbackPrepared(let rollback):
      try requireOutside(.rollbackPrepared)
      return open.removeValue(forKey: rollback.xid) == nil ? .nothing : .discard(rollback.xid)
    }
  }
}

// Blocks begin.
extension TransactionAssembler {
  private func requireOutside(_ tag: MessageTag) throws(AssemblyError) {
    if let block { throw .insideBlock(tag, of: block) }
  }

  @_lifetime(immortal)
  private mutating func start(_ xid: TransactionID, _ state: OpenTransaction.State, tag: MessageTag)
    throws(AssemblyError) -> AssemblyEvent
  {
    try requireOutside(tag)
    block = xid
    let earlier = open.updateValue(OpenTransaction(state: state), forKey: xid)
    return earlier == nil ? .nothing : .discard(xid)
  }

  @_lifetime(immortal)
  private mutating func take(_ message: StreamStart) throws(AssemblyError) -> AssemblyEvent {
    if message.isFirstSegment {
      let event = try start(message.xid, .streamed, tag: .streamStart)
      isInsideStream = true
      return event
    }
    try requireOutside(.streamStart)
    guard case .streamed = open[message.xid]?.state else {
      throw .unknownTransaction(.streamStart, message.xid)
    }
    block = message.xid
    isInsideStream = true
    return .nothing
  }
}

// Within a block.
extension TransactionAssembler {
  private mutating func change(_ tag: MessageTag, _ body: (inout OpenTransaction) -> Void)
    throws(AssemblyError)
  {
    guard let block, var transaction = open.removeValue(forKey: block) else { throw .outsideBlock(tag) }
    body(&transaction)
    open[block] = transaction
  }

  private mutating func describe(_ relation: Relation) {
    let arrival = relations.nextArrival()
    guard isInsideStream, let block else {
      relations.insert(relation, arrival: arrival)
      return
    }
    open[block]?.note(relation.xid, top: block)
    open[block]?.describe(relation, arrival: arrival)
  }

  private func described(_ id: RelationID) throws(AssemblyError) -> Relation {
    if isInsideStream, let block, let relation = open[block]?[id] { return relation }
    guard let relation = relations[id] else { throw .unknownRelation(id) }
    return relation
  }

  @_lifetime(copy row)
  private mutating func row(_ row: RowChange, tag: MessageTag) throws(AssemblyError) -> AssemblyEvent {
    if block == nil { throw .outsideBlock(tag) }
    let relation = try described(row.relation)
    for columns in [row.old?.columnCount, row.new?.columnCount] {
      if let columns, columns != relation.columns.count {
        throw .columnCount(
          relation: relation.qualifiedName, described: relation.columns.count, sent: columns)
      }
    }
    return try keep(.row(row, relation), of: row.xid, tag: tag)
  }

  @_lifetime(immortal)
  private mutating func take(_ truncate: Truncate) throws(AssemblyError) -> AssemblyEvent {
    if block == nil { throw .outsideBlock(.truncate) }
    var tables: [Relation] = []
    for id in truncate.relations { tables.append(try described(id)) }
    return try keep(.truncate(truncate, tables), of: truncate.xid, tag: .truncate)
  }

  @_lifetime(copy content)
  private mutating func keep(_ content: Change.Content, of xid: TransactionID?, tag: MessageTag)
    throws(AssemblyError) -> AssemblyEvent
  {
    guard let block else { throw .outsideBlock(tag) }
    open[block]?.note(xid, top: block)
    guard let (ordinal, mayBeCut) = open[block]?.count() else { throw .outsideBlock(tag) }
    return .change(
      Change(transaction: block, ordinal: ordinal, mayBeCut: mayBeCut, content: content))
  }
}

// Blocks and transactions end.
extension TransactionAssembler {
  @_lifetime(immortal)
  private mutating func finish(_ commit: Commit) throws(AssemblyError) -> AssemblyEvent {
    guard let block, let transaction = open[block], case .ordinary(let begin) = transaction.state else {
      throw .outsideBlock(.commit)
    }
    guard begin.finalLSN == commit.commitLSN else {
      throw .otherCommit(announced: begin.finalLSN, found: commit.commitLSN)
    }
    open[block] = nil
    self.block = nil
    return .commit(
      transaction.committed(block, at: commit.commitLSN, end: commit.endLSN, time: commit.commitTime))
  }

  @_lifetime(immortal)
  private mutating func finish(_ commit: StreamCommit) throws(AssemblyError) -> AssemblyEvent {
    let transaction = try endStream(commit.xid, tag: .streamCommit)
    return .commit(
      transaction.committed(
        commit.xid, at: commit.commitLSN, end: commit.endLSN, time: commit.commitTime))
  }

  @_lifetime(immortal)
  private mutating func finish(_ prepare: Prepare) throws(AssemblyError) -> AssemblyEvent {
    guard let block, case .preparing = open[block]?.state else { throw .outsideBlock(.prepare) }
    guard block == prepare.xid else {
      throw .otherTransaction(.prepare, expected: block, found: prepare.xid)
    }
    self.block = nil
    open[prepare.xid]?.state = .prepared
    open[prepare.xid]?.gid = prepare.gid
    return .nothing
  }

  @_lifetime(immortal)
  private mutating func finish(streamed prepare: Prepare) throws(AssemblyError) -> AssemblyEvent {
    var transaction = try endStream(prepare.xid, tag: .streamPrepare)
    transaction.state = .prepared
    transaction.gid = prepare.gid
    open[prepare.xid] = transaction
    return .nothing
  }

  @_lifetime(immortal)
  private mutating func finish(_ commit: CommitPrepared) throws(AssemblyError) -> AssemblyEvent {
    try requireOutside(.commitPrepared)
    guard let transaction = open[commit.xid], case .prepared = transaction.state else {
      return .commitUnseen(commit)
    }
    open[commit.xid] = nil
    return .commit(
      transaction.committed(
        commit.xid, at: commit.commitLSN, end: commit.endLSN, time: commit.commitTime))
  }

  private mutating func endStream(_ xid: TransactionID, tag: MessageTag) throws(AssemblyError)
    -> OpenTransaction
  {
    try requireOutside(tag)
    guard let transaction = open[xid], case .streamed = transaction.state else {
      throw .unknownTransaction(tag, xid)
    }
    open[xid] = nil
    transaction.promote(to: &relations)
    return transaction
  }

  @_lifetime(immortal)
  private mutating func take(_ abort: StreamAbort) throws(AssemblyError) -> AssemblyEvent {
    if isInsideStream, let block { throw .insideBlock(.streamAbort, of: block) }
    guard case .streamed = open[abort.xid]?.state else { return .nothing }
    if abort.subxid == abort.xid {
      open[abort.xid] = nil
      return .discard(abort.xid)
    }
    guard let ordinal = open[abort.xid]?.rollBack(abort.subxid) else { return .nothing }
    return .forget(abort.xid, from: ordinal)
  }
}

extension OpenTransaction {
  fileprivate func committed(_ xid: TransactionID, at commitLSN: LSN, end endLSN: LSN, time: Timestamp)
    -> CommittedTransaction
  {
    CommittedTransaction(
      xid: xid, commitLSN: commitLSN, endLSN: endLSN, commitTime: time, origin: origin, gid: gid,
      changeCount: changeCount)
  }
}
