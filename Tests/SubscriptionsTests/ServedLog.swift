import ChangeLog
import Derivation
import Glibc
import PGOutput

@testable import Subscriptions

/// A log of a card ledger that grows while it is served. Its writes come from one test at a time: hence `@unchecked`.
final class ServedLog: @unchecked Sendable {
  let path: String
  let tail: LogTail
  private let writer: ChangeLogWriter
  private var end: UInt64 = 0x1000
  /// The ids of all events, in order.
  private(set) var ids: [String] = []

  private static let table = Relation(
    id: RelationID(rawValue: 16_400), namespace: "public", name: "transactions", replicaIdentity: .default,
    columns: ["id", "status", "state_id"].map {
      Column(isKey: $0 == "id", name: $0, type: TypeOID(rawValue: 25))
    })
  static let states = [
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
  ]

  init(path: String, segmentBytes: UInt64 = 1 << 20, tailBytes: Int = 8 << 20) throws {
    self.path = path
    tail = LogTail(capacity: tailBytes)
    writer = try ChangeLogWriter.open(
      directory: path,
      origin: OriginIdentity(
        systemIdentifier: 7, timeline: 1, databaseOID: 1, slot: "ledger", creationPoint: LSN(rawValue: 0x1000)
      ),
      start: LSN(rawValue: 0x1000),
      options: ChangeLogWriter.Options(segmentBytes: segmentBytes, tail: tail))
  }

  /// What is served.
  func source(_ slot: String = "ledger", restore: LogRestore? = nil) throws -> EventSource {
    let derive = SlotDefinition.Derive(
      table: try QualifiedName(sql: "public.transactions"), key: [try Identifier("id")],
      from: try Identifier("status"), to: try Identifier("state_id"),
      map: .init(
        table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
        code: try Identifier("code"), status: try Identifier("legacy_status")))
    let definition = SlotDefinition(
      slot: slot, publication: try Identifier("ledger"), source: ConnectionString("dbname=x"),
      derive: derive, log: .init(directory: path))
    return EventSource(
      log: LogSource(directory: path, tail: tail, restore: restore), definition: definition,
      map: { StateMap(Self.states) })
  }

  /// Writes a transaction of our own that corrects a row of two.
  func correct() throws {
    end += 0x100
    let group = RecordGroup()
    func add(_ encode: (inout WireWriter) -> Void) {
      var record = WireWriter()
      encode(&record)
      record.bytes.withUnsafeBytes { group.append(walStart: end, payload: $0) }
    }
    let (final, over) = (LSN(rawValue: end - 0x30), LSN(rawValue: end))
    let time = Timestamp(rawValue: Int64(end) * 1_000)
    add { Begin(finalLSN: final, commitTime: time, xid: TransactionID(rawValue: 8)).encode(to: &$0) }
    add { Origin(lsn: .invalid, name: "crossfade_ledger").encode(to: &$0) }
    for (ordinal, content) in [
      #"{"cause":"quarantine","corrects":"0/1100","key":["1"],"state":"1","code":"authorized","status":"AUTH"}"#,
      #"{"cause":"replay","key":["1"],"state":"2","code":"captured","status":null,"was":"1","was_code":"authorized"}"#,
    ].enumerated() {
      let (prefix, content) = (Array("crossfade.correction".utf8), Array(content.utf8))
      add {
        LogicalMessage(
          isTransactional: true, lsn: final, prefix: prefix.rawBytes, content: content.rawBytes
        ).encode(to: &$0)
      }
      ids.append("\(over).\(ordinal)")
    }
    add { Commit(commitLSN: final, endLSN: over, commitTime: time).encode(to: &$0) }
    try writer.append(group)
    try writer.sync()
  }

  /// Writes a transaction of so many new rows.
  @discardableResult
  func commit(_ rows: Int = 1, status: String = "AUTH", padding: Int = 0) throws -> LSN {
    try write(rows) { ordinal, end in
      let key = "\(end)-\(ordinal)" + String(repeating: "x", count: padding)
      let row = OwnedTuple([.text(key), .text(status), .null])
      var record = WireWriter()
      Insert(relation: Self.table.id, new: try row.view).encode(to: &record)
      return record.bytes
    }
  }

  /// Writes a transaction that changes a row, of which nothing old is told.
  @discardableResult
  func move(_ key: String, _ status: String) throws -> LSN {
    try write(1) { _, _ in
      let row = OwnedTuple([.text(key), .text(status), .null])
      var record = WireWriter()
      Update(relation: Self.table.id, new: try row.view).encode(to: &record)
      return record.bytes
    }
  }

  /// As if so many bytes of WAL had nothing for the slot.
  func skip(_ bytes: UInt64) { end += bytes }

  private func write(_ changes: Int, _ change: (Int, UInt64) throws -> [UInt8]) throws -> LSN {
    end += 0x100
    let group = RecordGroup()
    func add(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { group.append(walStart: end, payload: $0) }
    }
    func add(_ encode: (inout WireWriter) -> Void) {
      var record = WireWriter()
      encode(&record)
      add(record.bytes)
    }
    let time = Timestamp(rawValue: Int64(end) * 1_000)
    let (final, over) = (LSN(rawValue: end - 0x30), LSN(rawValue: end))
    add { Begin(finalLSN: final, commitTime: time, xid: TransactionID(rawValue: 7)).encode(to: &$0) }
    if ids.isEmpty { add { Self.table.encode(to: &$0) } }
    for ordinal in 0..<changes {
      add(try change(ordinal, end))
      ids.append("\(over).\(ordinal)")
    }
    add { Commit(commitLSN: final, endLSN: over, commitTime: time).encode(to: &$0) }
    try writer.append(group)
    try writer.sync()
    return over
  }
}
