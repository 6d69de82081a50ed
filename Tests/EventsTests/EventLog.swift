import ChangeLog
import Derivation
import Foundation
import Glibc
import PGOutput
import Testing

@testable import Events

/// A log of a card ledger in a directory of its own, removed with the value that made it.
final class EventLog {
  let path: String
  let tail: LogTail?
  private var writer: ChangeLogWriter
  private var end: UInt64 = 0x1000

  static let id = RelationID(rawValue: 16_400)
  static let origin = OriginIdentity(
    systemIdentifier: 7, timeline: 1, databaseOID: 1, slot: "ledger", creationPoint: LSN(rawValue: 0x1000))
  static let states = [
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
  ]

  static func definition() throws -> SlotDefinition {
    let derive = SlotDefinition.Derive(
      table: try QualifiedName(sql: "public.transactions"), key: [try Identifier("id")],
      from: try Identifier("status"), to: try Identifier("state_id"),
      map: .init(
        table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
        code: try Identifier("code"), status: try Identifier("legacy_status")))
    return SlotDefinition(
      slot: "ledger", publication: try Identifier("ledger"), source: ConnectionString("dbname=x"),
      derive: derive, log: .init(directory: "/nowhere"))
  }

  static func plan(columns: [String] = []) throws -> EventPlan {
    var definition = try definition()
    definition.events.columns = try columns.map { try Identifier($0) }
    return EventPlan(definition, origin: origin)
  }

  init(follows: Bool = false, segmentBytes: UInt64 = 1 << 20) throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    path = "\(parent)/crossfade-events-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    tail = follows ? LogTail() : nil
    writer = try ChangeLogWriter.open(
      directory: path, origin: Self.origin, start: LSN(rawValue: 0x1000),
      options: ChangeLogWriter.Options(segmentBytes: segmentBytes, tail: tail))
  }

  deinit {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        unlink("\(path)/\(name)")
      }
      closedir(stream)
    }
    rmdir(path)
  }

  var source: LogSource { LogSource(directory: path, tail: tail) }

  enum Change {
    case insert([ColumnImage])
    case update([ColumnImage], key: [ColumnImage]? = nil, old: [ColumnImage]? = nil)
    case delete(key: [ColumnImage]? = nil, old: [ColumnImage]? = nil)
    case truncate
    case message(prefix: String, content: String, isTransactional: Bool = true)
  }

  /// Writes a transaction of the given second; returns where it ends.
  @discardableResult
  func commit(
    second: Int64, columns: [String] = ["id", "status", "state_id"], keyed: [String] = ["id"],
    origin: String? = nil, describes: Bool = true, _ changes: [Change]
  ) throws -> LSN {
    end += 0x100
    let group = RecordGroup()
    func add(_ encode: (inout WireWriter) throws -> Void) rethrows {
      var record = WireWriter()
      try encode(&record)
      record.bytes.withUnsafeBytes { group.append(walStart: end, payload: $0) }
    }
    let time = Timestamp(rawValue: second * 1_000_000)
    let (final, over) = (LSN(rawValue: end - 0x30), LSN(rawValue: end))
    let id = Self.id
    add { Begin(finalLSN: final, commitTime: time, xid: TransactionID(rawValue: 7)).encode(to: &$0) }
    if let origin { add { Origin(lsn: .invalid, name: origin).encode(to: &$0) } }
    if describes {
      add {
        Relation(
          id: id, namespace: "public", name: "transactions", replicaIdentity: .default,
          columns: columns.map { Column(isKey: keyed.contains($0), name: $0, type: TypeOID(rawValue: 25)) }
        ).encode(to: &$0)
      }
    }
    for change in changes {
      switch change {
      case .insert(let row):
        let row = OwnedTuple(row)
        try add { Insert(relation: id, new: try row.view).encode(to: &$0) }
      case .update(let row, let key, let old):
        let row = OwnedTuple(row)
        if let before = old ?? key {
          let before = OwnedTuple(before)
          try add {
            Update(
              relation: id, oldKind: old == nil ? .key : .full, old: try before.view, new: try row.view
            ).encode(to: &$0)
          }
        } else {
          try add { Update(relation: id, new: try row.view).encode(to: &$0) }
        }
      case .delete(let key, let old):
        let before = OwnedTuple(old ?? key ?? [])
        try add {
          Delete(relation: id, oldKind: old == nil ? .key : .full, old: try before.view).encode(to: &$0)
        }
      case .truncate: add { Truncate(relations: [id]).encode(to: &$0) }
      case .message(let prefix, let content, let isTransactional):
        let (prefix, content) = (Array(prefix.utf8), Array(content.utf8))
        add {
          LogicalMessage(
            isTransactional: isTransactional, lsn: final, prefix: prefix.rawBytes, content: content.rawBytes
          ).encode(to: &$0)
        }
      }
    }
    add { Commit(commitLSN: final, endLSN: over, commitTime: time).encode(to: &$0) }
    try writer.append(group)
    try writer.sync()
    return over
  }

  /// Takes the oldest segment away, as retention does.
  func drop() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".lz4") }
    let oldest = try #require(names.min())
    try FileManager.default.removeItem(atPath: "\(path)/\(oldest)")
  }

  /// Writes nonsense into the middle of a segment, counted from 0.
  func damage(segment: Int) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".lz4") }
      .sorted()
    try #require(names.count > segment + 1)
    let file = try #require(fopen("\(path)/\(names[segment])", "r+"))
    fseek(file, 300, SEEK_SET)
    fputs("damaged, damaged, damaged, damaged, damaged, damaged", file)
    fclose(file)
  }

  func cursor(
    after: Position = Position(endLSN: LSN(rawValue: 0x1000)), columns: [String] = [],
    filter: EventFilter = EventFilter()
  ) throws -> EventCursor {
    EventCursor(
      source, plan: try Self.plan(columns: columns), map: StateMap(Self.states), after: after, filter: filter)
  }

  func events(
    after: Position = Position(endLSN: LSN(rawValue: 0x1000)), filter: EventFilter = EventFilter()
  ) throws -> [StateEvent] {
    let cursor = try cursor(after: after, filter: filter)
    var events: [StateEvent] = []
    while let event = try cursor.next() { events.append(event) }
    return events
  }

  /// All events, as they are written.
  func written(
    columns: [String] = [], format: EventFormat = .cloudevents, framing: EventFraming = .lines
  ) throws -> String {
    var writer = EventWriter(try Self.plan(columns: columns), format: format, framing: framing)
    let cursor = try cursor(columns: columns)
    while let event = try cursor.next() { writer.write(event) }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

func row(_ id: Int, _ status: String?, _ state: Int? = nil) -> [ColumnImage] {
  row("\(id)", status, state)
}

func row(_ id: String, _ status: String?, _ state: Int? = nil) -> [ColumnImage] {
  [.text("\(id)"), status.map { .text($0) } ?? .null, state.map { .text("\($0)") } ?? .null]
}
