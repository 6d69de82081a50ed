import PGOutput

/// Turns bytes into a stream of messages that is mostly in order, over few transactions and tables, so that the
/// assembler is led deep. It knows as much of the stream as it takes to say what may come next.
struct StreamProgram {
  private enum Block {
    case none
    case ordinary(TransactionID, final: LSN)
    case preparing(TransactionID)
    case streamed(TransactionID)
  }

  /// What our own transactions carry.
  static let ownOrigin = "ours"
  static let ownPrefix = "crossfade"
  static let ownContent = "slot"

  private var source: ByteSource
  private var block = Block.none
  private var streamed: Set<TransactionID> = []
  private var position: UInt64 = 0x1000
  private var writer = WireWriter()

  /// Whether tables are described where the server does it (`pgoutput.c maybe_send_schema`): inside transactions,
  /// before their first change on the connection, and before the first in each streamed transaction.
  private let describesAsServer: Bool
  /// Whether subtransactions may have been rolled back without a word, which a server does when it has spilled them
  /// (`StreamFramer.unsettled`). Tables keep their shape then: it would be sent again if the rollback changed it.
  private let rollsBackSilently: Bool
  /// Those, of the streamed transaction that the last message ends.
  private(set) var silent: Set<TransactionID> = []
  private var described: Set<RelationID> = []
  private var describedInStream: [TransactionID: Set<RelationID>] = [:]

  init(_ bytes: some Collection<UInt8>, describesAsServer: Bool = false) {
    var source = ByteSource(bytes)
    self.describesAsServer = describesAsServer
    rollsBackSilently = describesAsServer ? source.byte() & 1 == 1 : false
    self.source = source
  }

  /// Whether the program believes that it stands in a streamed block.
  private var streamedBlock: TransactionID? {
    if case .streamed(let xid) = block { return xid }
    return nil
  }

  /// The next message, nil when the bytes are used up.
  mutating func next() -> [UInt8]? {
    guard !source.isEmpty else { return nil }
    writer.removeAll()
    silent = []
    position += 0x10
    let choice = source.byte()
    if choice >= 0xF0 {
      // Now and then one that fits by luck alone.
      outside(source.byte())
    } else if case .none = block {
      outside(choice)
    } else {
      inside(choice)
    }
    return writer.bytes
  }

  private mutating func transaction() -> TransactionID {
    TransactionID(rawValue: UInt32(source.byte() & 3) + 1)
  }
  private func gid(_ xid: TransactionID) -> String { "gid-\(xid)" }

  private mutating func outside(_ choice: UInt8) {
    let time = Timestamp(rawValue: Int64(position))
    let lsn = LSN(rawValue: position)
    let end = LSN(rawValue: position + 8)
    switch choice % 16 {
    case 0, 1:
      let xid = transaction()
      Begin(finalLSN: lsn, commitTime: time, xid: xid).encode(to: &writer)
      streamed.remove(xid)
      block = .ordinary(xid, final: lsn)
    case 2...6:
      let which = source.byte()
      let xid = TransactionID(rawValue: UInt32(which & 3) + 1)
      let isFirst = !streamed.contains(xid) || which & 0xE0 == 0
      StreamStart(xid: xid, isFirstSegment: isFirst).encode(to: &writer)
      if isFirst { describedInStream[xid] = [] }
      streamed.insert(xid)
      block = .streamed(xid)
    case 7, 8:
      let xid = transaction()
      StreamCommit(xid: xid, commitLSN: lsn, endLSN: end, commitTime: time).encode(to: &writer)
      described.formUnion(describedInStream.removeValue(forKey: xid) ?? [])
      rollBackSilently(xid)
      streamed.remove(xid)
    case 9, 10, 11:
      let xid = transaction()
      let sub = subtransaction(of: xid)
      StreamAbort(xid: xid, subxid: sub, place: source.byte() & 1 == 0 ? nil : .init(lsn: lsn, time: time))
        .encode(to: &writer)
      if sub == xid { streamed.remove(xid) }
      // `cleanup_rel_sync_cache`: what was described may be gone, so it comes again.
      describedInStream[xid] = []
    case 12:
      let xid = transaction()
      Prepare(prepareLSN: lsn, endLSN: end, prepareTime: time, xid: xid, gid: gid(xid))
        .encode(streamed: true, to: &writer)
      streamed.remove(xid)
      rollBackSilently(xid)
    case 13:
      let xid = transaction()
      CommitPrepared(commitLSN: lsn, endLSN: end, commitTime: time, xid: xid, gid: gid(xid))
        .encode(to: &writer)
    case 14:
      let xid = transaction()
      if choice & 0x10 == 0 {
        RollbackPrepared(
          prepareEndLSN: lsn, rollbackEndLSN: end, prepareTime: time, rollbackTime: time, xid: xid,
          gid: gid(xid)
        ).encode(to: &writer)
      } else {
        BeginPrepare(prepareLSN: lsn, endLSN: end, prepareTime: time, xid: xid, gid: gid(xid)).encode(
          to: &writer)
        streamed.remove(xid)
        block = .preparing(xid)
      }
    default:
      choice & 0x10 == 0 && !describesAsServer ? describe() : content(describesAsServer ? 0x70 : choice)
    }
  }

  private mutating func rollBackSilently(_ top: TransactionID) {
    guard rollsBackSilently else { return }
    let which = source.byte()
    silent = Set(
      (1...3 as ClosedRange<UInt32>).filter { which >> $0 & 1 == 1 }.map {
        TransactionID(rawValue: top.rawValue * 10 + $0)
      })
  }

  private mutating func inside(_ choice: UInt8) {
    switch choice % 16 {
    case 0...2: endBlock()
    case 3...5: describe()
    default: content(choice)
    }
  }

  private mutating func endBlock() {
    let lsn = LSN(rawValue: position)
    let time = Timestamp(rawValue: Int64(position))
    switch block {
    case .none: StreamStop().encode(to: &writer)
    case .streamed: StreamStop().encode(to: &writer)
    case .ordinary(_, let final):
      Commit(commitLSN: final, endLSN: lsn, commitTime: time).encode(to: &writer)
    case .preparing(let xid):
      Prepare(prepareLSN: lsn, endLSN: lsn, prepareTime: time, xid: xid, gid: gid(xid))
        .encode(streamed: false, to: &writer)
    }
    block = .none
  }

  /// The transaction itself, or one of three subtransactions of it.
  private mutating func subtransaction(of top: TransactionID) -> TransactionID {
    let which = UInt32(source.byte() & 3)
    return which == 0 ? top : TransactionID(rawValue: top.rawValue * 10 + which)
  }

  /// What a message carries inside a streamed block.
  private mutating func streamedID() -> TransactionID? {
    guard let top = streamedBlock else { return nil }
    return subtransaction(of: top)
  }

  private mutating func table() -> RelationID { RelationID(rawValue: UInt32(source.byte() & 3) + 1) }

  private mutating func describe() {
    let xid = streamedID()
    let id = table()
    if source.byte() & 7 == 0 {
      TypeName(xid: xid, id: TypeOID(rawValue: id.rawValue), namespace: "s", name: "t").encode(to: &writer)
      return
    }
    describe(id, xid)
  }

  private mutating func describe(_ id: RelationID, _ xid: TransactionID?) {
    if let top = streamedBlock {
      describedInStream[top, default: []].insert(id)
    } else {
      described.insert(id)
    }
    // The name tells one description from another; now and then one comes again.
    let name = "t\(rollsBackSilently ? UInt8(truncatingIfNeeded: id.rawValue) : source.byte() & 3)"
    let columns = [Column(isKey: true, name: "id", type: TypeOID(rawValue: 20))]
    Relation(xid: xid, id: id, namespace: "s", name: name, replicaIdentity: .default, columns: columns)
      .encode(to: &writer)
  }

  private mutating func content(_ choice: UInt8) {
    let xid = streamedID()
    let count: [ColumnImage] = choice == 0xEF ? [.null, .unchanged] : [.text("\(position)")]
    let tuple = OwnedTuple(count)
    let id = table()
    if describesAsServer, choice / 16 % 8 < 6 {
      let known = streamedBlock.map { describedInStream[$0] ?? [] } ?? described
      for needed in [id, RelationID(rawValue: 1)] where !known.contains(needed) {
        return describe(needed, xid)
      }
    }
    switch choice / 16 % 8 {
    case 0, 1, 2:
      if let view = try? tuple.view { Insert(xid: xid, relation: id, new: view).encode(to: &writer) }
    case 3:
      if let view = try? tuple.view {
        Update(xid: xid, relation: id, oldKind: .key, old: view, new: view).encode(to: &writer)
      }
    case 4:
      if let view = try? tuple.view {
        Delete(xid: xid, relation: id, oldKind: .full, old: view).encode(to: &writer)
      }
    case 5:
      Truncate(xid: xid, isCascade: true, relations: [id, RelationID(rawValue: 1)]).encode(to: &writer)
    case 6:
      let name = choice & 8 == 0 ? Self.ownOrigin : "o\(position)"
      Origin(lsn: LSN(rawValue: position), name: name).encode(to: &writer)
    default: message(xid, isOwn: choice & 8 == 0)
    }
  }

  private mutating func message(_ xid: TransactionID?, isOwn: Bool) {
    var isTransactional = true
    // The server sends the other kind between transactions.
    if case .none = block { isTransactional = false }
    let prefix = Array((isOwn ? Self.ownPrefix : "app").utf8)
    let content = Array((isOwn ? Self.ownContent : "\(position)").utf8)
    LogicalMessage(
      xid: xid, isTransactional: isTransactional, lsn: LSN(rawValue: position), prefix: prefix.rawBytes,
      content: content.rawBytes
    ).encode(to: &writer)
  }
}
