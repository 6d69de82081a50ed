import PGOutput

/// The assembler against the model, and against what someone would hold who does as the events say.
enum AssemblerFuzz {
  /// A change that someone keeps: the message that brought it, and whether a rollback may cut before it.
  private struct Kept {
    var bytes: [UInt8]
    var mayBeCut: Bool
  }

  static func check(_ bytes: [UInt8]) throws(Finding) {
    var program = StreamProgram(bytes)
    var assembler = TransactionAssembler()
    var model = AssemblyModel()
    var kept: [TransactionID: [Kept]] = [:]
    while let payload = program.next() {
      guard
        let message = try? Message(
          decoding: payload.rawBytes, format: .any.insideStream(assembler.isInsideStream))
      else { return }
      let expected = model.take(message, bytes: payload)
      let event: AssemblyEvent
      do throws(AssemblyError) {
        event = try assembler.take(message)
      } catch {
        try require(expected == .refusal, "\(payload) is refused (\(error)), expected \(expected)")
        try require(!error.description.isEmpty, "a refusal that says nothing")
        return
      }
      let found = outcome(event)
      try require(found == expected, "\(payload) is \(found), expected \(expected)")
      try act(event, payload, &kept, committed: model.committed)
      try require(
        assembler.unfinished == model.unfinished,
        "unfinished is \(assembler.unfinished), expected \(model.unfinished)")
      for transaction in assembler.unfinished {
        try require(
          kept[transaction.xid]?.count ?? 0 == transaction.changeCount,
          "\(transaction) does not count what is kept")
      }
    }
  }

  private static func outcome(_ event: borrowing AssemblyEvent) -> AssemblyModel.Expected {
    switch event {
    case .nothing: return .nothing
    case .change(let change):
      var tables: [Relation] = []
      switch change.content {
      case .row(_, let relation): tables = [relation]
      case .truncate(_, let relations): tables = relations
      case .message: break
      }
      for index in tables.indices { tables[index].xid = nil }
      return .change(change.transaction, ordinal: change.ordinal, tables: tables)
    case .forget(let xid, let ordinal): return .forget(xid, from: ordinal)
    case .discard(let xid): return .discard(xid)
    case .commit(let transaction): return .commit(transaction)
    case .message: return .message
    case .commitUnseen(let commit): return .commitUnseen(commit.xid)
    }
  }

  private static func act(
    _ event: borrowing AssemblyEvent, _ payload: [UInt8], _ kept: inout [TransactionID: [Kept]],
    committed: [[UInt8]]
  ) throws(Finding) {
    switch event {
    case .nothing, .message, .commitUnseen: break
    case .change(let change):
      let held = kept[change.transaction]?.count ?? 0
      try require(change.ordinal == held, "change \(change.ordinal) comes after \(held) changes")
      kept[change.transaction, default: []].append(Kept(bytes: payload, mayBeCut: change.mayBeCut))
    case .forget(let xid, let ordinal):
      guard let changes = kept[xid], ordinal < changes.count else {
        throw Finding("\(xid) is to forget from \(ordinal) on, and holds less")
      }
      try require(changes[ordinal].mayBeCut, "\(xid) is cut before \(ordinal), which may not be")
      kept[xid]?.removeSubrange(ordinal...)
    case .discard(let xid): kept[xid] = nil
    case .commit(let transaction):
      let changes = kept.removeValue(forKey: transaction.xid) ?? []
      try require(changes.count == transaction.changeCount, "\(transaction) commits \(changes.count) changes")
      try require(changes.map(\.bytes) == committed, "\(transaction) commits other changes than came")
    }
  }
}
