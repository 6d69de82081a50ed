@testable import PGOutput

/// What a stream commits, as the assembler reads it: transactions with their changes and the tables these are of.
struct CommittedStream {
  /// What a reader sees.
  enum Output: Equatable {
    case transaction(TransactionID, commit: LSN, end: LSN, time: Timestamp, [Image])
    case message([UInt8])
  }

  /// A change without its transaction id, and its tables.
  struct Image: Equatable {
    var bytes: [UInt8]
    var tables: [Relation]
  }

  private struct Kept {
    var owner: TransactionID
    var image: Image
  }

  private enum Standing {
    case undecided
    case foreign
    case own
  }

  private(set) var output: [Output] = []
  private let skipsOwn: Bool
  private var assembler = TransactionAssembler()
  private var kept: [TransactionID: [Kept]] = [:]
  private var standings: [TransactionID: Standing] = [:]
  private var block: TransactionID?

  init(skipsOwn: Bool) { self.skipsOwn = skipsOwn }

  var isInsideStream: Bool { assembler.isInsideStream }

  /// Takes the next message; says whether it can be understood.
  mutating func take(_ payload: [UInt8], insideStream: Bool) -> Bool {
    guard let message = try? Message(decoding: payload.rawBytes, format: .any.insideStream(insideStream))
    else {
      return false
    }
    // The server describes tables inside transactions only, and capture holds it to that.
    switch message {
    case .relation, .type: if block == nil { return false }
    default: break
    }
    guard let event = try? assembler.take(message) else { return false }
    note(message)
    switch event {
    case .nothing: break
    case .change(let change):
      let image = image(change.content, insideStream ? [payload[0]] + payload.dropFirst(5) : payload)
      let owner =
        insideStream ? payload[1..<5].reduce(0) { $0 << 8 | UInt32($1) } : change.transaction.rawValue
      kept[change.transaction, default: []].append(Kept(owner: TransactionID(rawValue: owner), image: image))
    case .forget(let xid, let ordinal): kept[xid]?.removeSubrange(ordinal...)
    case .discard(let xid): kept[xid] = nil
    case .commit(let transaction):
      let changes = kept.removeValue(forKey: transaction.xid)?.map(\.image) ?? []
      let isOwn = skipsOwn && standings[transaction.xid] == .own
      guard !isOwn, !changes.isEmpty else { break }
      output.append(
        .transaction(
          transaction.xid, commit: transaction.commitLSN, end: transaction.endLSN,
          time: transaction.commitTime, changes))
    case .message: output.append(.message(payload))
    // Capture refuses to start where such a commit could come.
    case .commitUnseen: return false
    }
    return true
  }

  /// These subtransactions were rolled back, and the server did not say so.
  mutating func forget(_ subtransactions: Set<TransactionID>) {
    for xid in kept.keys { kept[xid]?.removeAll { subtransactions.contains($0.owner) } }
  }

  private func image(_ content: borrowing Change.Content, _ bytes: [UInt8]) -> Image {
    var tables: [Relation] = []
    switch content {
    case .row(_, let table): tables = [table]
    case .truncate(_, let all): tables = all
    case .message: break
    }
    for index in tables.indices { tables[index].xid = nil }
    return Image(bytes: bytes, tables: tables)
  }

  /// Whose transaction it is shows before or with its first record.
  private mutating func note(_ message: borrowing Message) {
    switch message {
    case .begin(let begin): start(begin.xid)
    case .beginPrepare(let begin): start(begin.xid)
    case .streamStart(let stream):
      if stream.isFirstSegment { start(stream.xid) }
      block = stream.xid
    case .streamStop, .commit, .prepare: block = nil
    case .origin(let origin):
      if origin.name == StreamProgram.ownOrigin { decide(.own) }
    case .message(let message):
      let isMark =
        message.isTransactional && message.prefix.equalsUTF8(of: StreamProgram.ownPrefix)
        && message.content.equalsUTF8(of: StreamProgram.ownContent)
      decide(isMark ? .own : .foreign)
    case .relation, .type, .insert, .update, .delete, .truncate: decide(.foreign)
    case .streamCommit, .streamAbort, .streamPrepare, .commitPrepared, .rollbackPrepared: break
    }
  }

  private mutating func start(_ xid: TransactionID) {
    block = xid
    standings[xid] = .undecided
  }

  private mutating func decide(_ standing: Standing) {
    guard let block, standings[block] == .undecided else { return }
    standings[block] = standing
  }
}
