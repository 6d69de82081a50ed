import ChangeLog
import PGOutput

/// Records of a card ledger, for whoever reads a log: real messages, written by their own encoders.
struct LedgerRecords {
  let group = RecordGroup()
  private var end: UInt64

  /// Its first transaction ends right after `start`.
  init(after start: LSN) { end = start.rawValue }

  static let transactions = Relation(
    id: RelationID(rawValue: 16_400), namespace: "public", name: "transactions", replicaIdentity: .default,
    columns: [
      Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
      Column(name: "status", type: TypeOID(rawValue: 25)),
    ])
  static let audit = Relation(
    id: RelationID(rawValue: 16_500), namespace: "public", name: "ledger_audit", replicaIdentity: .default,
    columns: [
      Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
      Column(name: "note", type: TypeOID(rawValue: 25)),
    ])

  /// A whole transaction; returns where it ends.
  @discardableResult
  mutating func transaction(
    xid: UInt32, origin: String? = nil, _ changes: (borrowing LedgerRecords) throws -> Void
  ) rethrows -> LSN {
    begin(xid: xid, origin: origin)
    try changes(self)
    return commit()
  }

  mutating func begin(xid: UInt32, origin: String? = nil) {
    end += 0x100
    add { writer in
      Begin(
        finalLSN: LSN(rawValue: end - 0x30), commitTime: Self.time(xid), xid: TransactionID(rawValue: xid)
      )
      .encode(to: &writer)
    }
    if let origin { add { writer in Origin(lsn: LSN(rawValue: 0x77), name: origin).encode(to: &writer) } }
  }

  func commit() -> LSN {
    add { writer in
      Commit(
        commitLSN: LSN(rawValue: end - 0x30), endLSN: LSN(rawValue: end), commitTime: Timestamp(rawValue: 0)
      ).encode(to: &writer)
    }
    return LSN(rawValue: end)
  }

  /// A message outside of a transaction; returns where it counts as ended.
  mutating func announce(_ text: String) -> LSN {
    end += 0x100
    message(text, isTransactional: false)
    return LSN(rawValue: end + 1)
  }

  static func time(_ xid: UInt32) -> Timestamp { Timestamp(rawValue: Int64(xid) * 1_000_000) }

  func describe(_ relation: Relation) { add { writer in relation.encode(to: &writer) } }

  func insert(_ id: Int, _ text: String, in relation: Relation = transactions) throws {
    let row = OwnedTuple([.text("\(id)"), .text(text)])
    let view = try row.view
    add { writer in Insert(relation: relation.id, new: view).encode(to: &writer) }
  }

  func update(_ id: Int, _ text: String, formerly key: Int? = nil) throws {
    let row = OwnedTuple([.text("\(id)"), .text(text)])
    let view = try row.view
    guard let key else {
      return add { writer in Update(relation: Self.transactions.id, new: view).encode(to: &writer) }
    }
    let old = OwnedTuple([.text("\(key)"), .null])
    let oldView = try old.view
    add { writer in
      Update(relation: Self.transactions.id, oldKind: .key, old: oldView, new: view).encode(to: &writer)
    }
  }

  func delete(_ id: Int) throws {
    let row = OwnedTuple([.text("\(id)"), .null])
    let view = try row.view
    add { writer in Delete(relation: Self.transactions.id, oldKind: .key, old: view).encode(to: &writer) }
  }

  func truncate(_ relations: Relation...) {
    add { writer in Truncate(relations: relations.map(\.id)).encode(to: &writer) }
  }

  func message(_ text: String, isTransactional: Bool = true) {
    let prefix = Array("note".utf8)
    let content = Array(text.utf8)
    add { writer in
      LogicalMessage(
        isTransactional: isTransactional, lsn: LSN(rawValue: end), prefix: prefix.rawBytes,
        content: content.rawBytes
      ).encode(to: &writer)
    }
  }

  func add(_ encode: (inout WireWriter) -> Void) {
    var writer = WireWriter()
    encode(&writer)
    writer.bytes.withUnsafeBytes { group.append(walStart: end, payload: $0) }
  }
}

extension ChangeLogWriter {
  /// Appends what was made, durably, and empties it.
  func append(_ records: LedgerRecords) throws(ChangeLogError) {
    try append(records.group)
    try sync()
    records.group.removeAll()
  }
}
