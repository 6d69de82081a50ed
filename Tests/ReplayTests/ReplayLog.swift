import ChangeLog
import Derivation
import Glibc
import PGOutput

@testable import Replay

/// A log of a card ledger in a directory of its own, removed with the value that made it.
final class ReplayLog {
  let path: String
  private let writer: ChangeLogWriter
  private var end: UInt64 = 0x1000

  static let table = Relation(
    id: RelationID(rawValue: 16_400), namespace: "public", name: "transactions", replicaIdentity: .default,
    columns: [
      Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
      Column(name: "status", type: TypeOID(rawValue: 25)),
    ])

  static func derive() throws -> SlotDefinition.Derive {
    SlotDefinition.Derive(
      table: try QualifiedName(sql: "public.transactions"), key: [try Identifier("id")],
      from: try Identifier("status"), to: try Identifier("state_id"),
      map: .init(
        table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
        code: try Identifier("code"), status: try Identifier("legacy_status")))
  }

  init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    path = "\(parent)/crossfade-replay-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    writer = try ChangeLogWriter.open(
      directory: path,
      origin: OriginIdentity(
        systemIdentifier: 1, timeline: 1, databaseOID: 1, slot: "replay", creationPoint: LSN(rawValue: 0x1000)
      ),
      start: LSN(rawValue: 0x1000), options: ChangeLogWriter.Options(segmentBytes: 1 << 20))
  }

  deinit {
    for name in (try? names()) ?? [] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  private func names() throws -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names.filter { !$0.hasPrefix(".") }
  }

  var source: LogSource { LogSource(directory: path) }

  enum Change {
    case insert(Int, ColumnImage)
    case update(Int, ColumnImage, from: Int? = nil)
    case full(Int, old: ColumnImage, new: ColumnImage)
    case delete(Int)
    case truncate
  }

  /// Writes a transaction of the given second; returns where it ends.
  @discardableResult
  func commit(second: Int64, _ changes: Change..., isDescribed: Bool = true) throws -> LSN {
    end += 0x100
    let group = RecordGroup()
    func add(_ encode: (inout WireWriter) throws -> Void) rethrows {
      var record = WireWriter()
      try encode(&record)
      record.bytes.withUnsafeBytes { group.append(walStart: end, payload: $0) }
    }
    let time = Timestamp(rawValue: second * 1_000_000)
    let (final, over) = (LSN(rawValue: end - 0x30), LSN(rawValue: end))
    add { Begin(finalLSN: final, commitTime: time, xid: TransactionID(rawValue: 7)).encode(to: &$0) }
    if isDescribed { add { Self.table.encode(to: &$0) } }
    let id = Self.table.id
    for change in changes {
      switch change {
      case .insert(let key, let status):
        let row = OwnedTuple([.text("\(key)"), status])
        try add { Insert(relation: id, new: try row.view).encode(to: &$0) }
      case .update(let key, let status, let old):
        let row = OwnedTuple([.text("\(key)"), status])
        let before = OwnedTuple([.text("\(old ?? 0)"), .null])
        try add {
          if old == nil {
            Update(relation: id, new: try row.view).encode(to: &$0)
          } else {
            Update(relation: id, oldKind: .key, old: try before.view, new: try row.view).encode(to: &$0)
          }
        }
      case .full(let key, let old, let new):
        let (before, row) = (OwnedTuple([.text("\(key)"), old]), OwnedTuple([.text("\(key)"), new]))
        try add {
          Update(relation: id, oldKind: .full, old: try before.view, new: try row.view).encode(to: &$0)
        }
      case .delete(let key):
        let row = OwnedTuple([.text("\(key)"), .null])
        try add { Delete(relation: id, oldKind: .key, old: try row.view).encode(to: &$0) }
      case .truncate: add { Truncate(relations: [id]).encode(to: &$0) }
      }
    }
    add { Commit(commitLSN: final, endLSN: over, commitTime: time).encode(to: &$0) }
    try writer.append(group)
    try writer.sync()
    return over
  }

  func events(_ range: ResolvedRange? = nil, keys: Set<RowKey>? = nil) throws -> [RowEvent] {
    let whole = ResolvedRange(after: Position(endLSN: LSN(rawValue: 0x1000)), through: LSN(rawValue: .max))
    let walk = EventWalk(
      source, derive: try Self.derive(), range: range ?? whole, keys: keys, crossesDamage: false)
    var events: [RowEvent] = []
    while let step = try walk.next() { if case .event(let event) = step { events.append(event) } }
    return events
  }
}

func key(_ number: Int) -> RowKey { RowKey([ExactText("\(number)")]) }
