package import PGOutput

// What begins and ends blocks, and what ends streamed and prepared transactions.
extension StreamFramer {
  /// Any message that is neither of an ordinary transaction nor a change.
  mutating func control(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(CaptureError) -> Action {
    let message: Message
    do {
      message = try Message(decoding: payload.bytes, format: .any)
    } catch {
      throw violation(walStart, "\(error)")
    }
    switch message {
    case .streamStart(let start): return try begin(start, walStart)
    case .streamStop:
      guard state == .streaming, let transaction = spooling.take() else {
        throw violation(walStart, "the end of a streamed block outside of one")
      }
      streamed[transaction.xid] = transaction
      state = .outside
      return .drop
    // PostgreSQL 18 sends a stream abort though streaming is off (pgoutput-facts TC25), at any place.
    case .streamAbort(let abort): return abandon(abort)
    case .streamCommit(let commit):
      try requireOutside(walStart, "a stream commit")
      return try finish(commit, walStart)
    case .beginPrepare(let begin):
      try requireOutside(walStart, "a begin prepare")
      spooling = SpooledTransaction(xid: begin.xid, walStart: walStart)
      state = .preparing
      return .change(.discard(begin.xid))
    case .prepare(let prepare): return try finish(prepare, walStart)
    case .streamPrepare(let prepare):
      try requireOutside(walStart, "a stream prepare")
      guard let transaction = streamed.removeValue(forKey: prepare.xid) else {
        throw violation(walStart, "a prepare of transaction \(prepare.xid), of which nothing was streamed")
      }
      for description in transaction.descriptions { book.withhold(description) }
      return settle(prepare, transaction)
    case .commitPrepared(let commit):
      try requireOutside(walStart, "a commit prepared")
      return try finish(commit, walStart)
    case .rollbackPrepared(let rollback):
      try requireOutside(walStart, "a rollback prepared")
      preparedDescriptions[rollback.xid] = nil
      guard prepared.removeValue(forKey: rollback.xid) != nil else {
        return .skip(end: rollback.rollbackEndLSN)
      }
      return .settle(.forgetPrepared(rollback.xid), end: rollback.rollbackEndLSN, changes: 0)
    default: throw violation(walStart, "a message of type \(payload[0]), which has no place there")
    }
  }

  /// The streamed transaction that this message ends, and the subtransactions of which it has records.
  ///
  /// A server that has spilled a subtransaction's changes to disk before it streams them does not tell of its rollback
  /// (`reorderbuffer.c ReorderBufferTruncateTXN` marks as streamed only what has changes in memory). That is common: after a
  /// restart of the stream, all of an open transaction from before the start is spilled first
  /// (`ReorderBufferCanStartStreaming`). So whoever reads the stream must ask which of them were rolled back, before the
  /// message is accepted.
  package func unsettled(_ payload: UnsafeRawBufferPointer) -> Unsettled? {
    let xid: TransactionID
    switch payload.first {
    case UInt8(ascii: "c") where payload.count >= 5:
      xid = TransactionID(rawValue: payload.bigEndian(at: 1))
    case UInt8(ascii: "p") where payload.count >= 30:
      xid = TransactionID(rawValue: payload.bigEndian(at: 26))
    default: return nil
    }
    guard state == .outside, let transaction = streamed[xid], transaction.standing == .foreign else {
      return nil
    }
    let all = transaction.subtransactions
    return all.isEmpty ? nil : Unsettled(xid: xid, subtransactions: all)
  }

  /// Takes out what was found to be rolled back.
  package mutating func remove(
    _ rolledBack: Set<TransactionID>, of xid: TransactionID
  ) -> SpoolStep? {
    guard let gone = streamed[xid]?.remove(rolledBack), !gone.isEmpty else { return nil }
    return .remove(xid, gone)
  }

  private func requireOutside(_ walStart: UInt64, _ what: String) throws(CaptureError) {
    guard state == .outside else { throw violation(walStart, "\(what) inside a transaction") }
  }

  private mutating func begin(_ start: StreamStart, _ walStart: UInt64) throws(CaptureError) -> Action {
    try requireOutside(walStart, "the beginning of a streamed block")
    let earlier = streamed.removeValue(forKey: start.xid)
    guard !start.isFirstSegment else {
      spooling = SpooledTransaction(xid: start.xid, walStart: walStart)
      state = .streaming
      return .change(.discard(start.xid))
    }
    guard let earlier else {
      throw violation(walStart, "more of transaction \(start.xid), whose first block was not sent")
    }
    spooling = earlier
    state = .streaming
    return .drop
  }

  private mutating func abandon(_ abort: StreamAbort) -> Action {
    guard abort.subxid != abort.xid else {
      return streamed.removeValue(forKey: abort.xid) == nil ? .drop : .change(.discard(abort.xid))
    }
    guard let bytes = streamed[abort.xid]?.rollBack(abort.subxid) else { return .drop }
    return streamed[abort.xid]?.standing == .own ? .drop : .change(.cut(abort.xid, bytes: bytes))
  }

  private mutating func finish(_ commit: StreamCommit, _ walStart: UInt64) throws(CaptureError) -> Action {
    guard let transaction = streamed.removeValue(forKey: commit.xid) else {
      throw violation(walStart, "a commit of transaction \(commit.xid), of which nothing was streamed")
    }
    let descriptions = transaction.descriptions
    let changes = transaction.kept.changes
    if transaction.standing == .foreign, changes > 0 {
      book.splice(descriptions)
    } else {
      for description in descriptions { book.withhold(description) }
    }
    guard changes > 0 else { return .settle(.discard(commit.xid), end: commit.endLSN, changes: 0) }
    let end = Commit(commitLSN: commit.commitLSN, endLSN: commit.endLSN, commitTime: commit.commitTime)
    return .settle(
      .splice(commit.xid, .init(xid: commit.xid, walStart: transaction.walStart, commit: end)),
      end: commit.endLSN, changes: changes)
  }

  private mutating func finish(_ prepare: Prepare, _ walStart: UInt64) throws(CaptureError) -> Action {
    // 18 sends the end alone of a prepared transaction that has a number but changed nothing.
    guard state != .outside else {
      return settle(prepare, SpooledTransaction(xid: prepare.xid, walStart: walStart))
    }
    guard state == .preparing, let transaction = spooling.take() else {
      throw violation(walStart, "a prepare inside another transaction")
    }
    guard transaction.xid == prepare.xid else {
      throw violation(
        walStart, "a prepare of transaction \(prepare.xid) inside the block of \(transaction.xid)")
    }
    state = .outside
    return settle(prepare, transaction)
  }

  private mutating func settle(_ prepare: Prepare, _ transaction: SpooledTransaction) -> Action {
    let kept = transaction.kept
    let summary = PreparedTransaction(
      xid: prepare.xid, gid: prepare.gid, prepareLSN: prepare.prepareLSN, endLSN: prepare.endLSN,
      prepareTime: prepare.prepareTime, changes: kept.changes,
      bytes: kept.bytes)
    prepared[prepare.xid] = summary
    // Those of our own are withheld, and do not go to the log with its corrections.
    preparedDescriptions[prepare.xid] = transaction.standing == .own ? [] : transaction.descriptions
    return .settle(.prepare(summary), end: prepare.endLSN, changes: 0)
  }

  private mutating func finish(_ commit: CommitPrepared, _ walStart: UInt64) throws(CaptureError) -> Action {
    // 16 sends nothing but the commit of a prepared transaction that has a number but changed nothing.
    if prepared[commit.xid] == nil, spoolIsComplete { return .skip(end: commit.endLSN) }
    guard let transaction = prepared.removeValue(forKey: commit.xid), transaction.gid == commit.gid else {
      throw .refused(.preparedMissing(gid: commit.gid, xid: commit.xid.rawValue, commit: commit.commitLSN))
    }
    let descriptions = preparedDescriptions.removeValue(forKey: commit.xid)
    guard transaction.changes > 0 else {
      return .settle(.commitEmpty(commit.xid, end: commit.endLSN), end: commit.endLSN, changes: 0)
    }
    if let descriptions { book.splice(descriptions) } else { book.spliceUnseen() }
    let end = Commit(commitLSN: commit.commitLSN, endLSN: commit.endLSN, commitTime: commit.commitTime)
    return .settle(
      .splicePrepared(
        transaction, .init(xid: commit.xid, walStart: transaction.prepareLSN.rawValue, commit: end)),
      end: commit.endLSN, changes: transaction.changes)
  }
}
