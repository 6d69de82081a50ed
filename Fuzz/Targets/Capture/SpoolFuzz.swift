import ChangeLog
import PGOutput

@testable import Capture

/// Spools on disk against arrays in memory, through restarts; and a prepared one that is damaged is never believed.
enum SpoolFuzz {
  static func check(_ bytes: [UInt8]) throws(Finding) {
    var source = ByteSource(bytes)
    let log = try ScratchLog()
    defer { log.remove() }
    do throws(ChangeLogError) {
      var script = try SpoolScript(log)
      for _ in 0..<source.number(below: 20) { try script.step(&source) }
      if !source.isEmpty { try script.damage(&source) }
    } catch { throw Finding("\(error)") }
  }
}

/// Operations on a spool store, and what must be in it.
private struct SpoolScript {
  private struct Prepared {
    var transaction: PreparedTransaction
    var records: [UInt8]
    var end: LSN?
  }

  private let log: ScratchLog
  private let calls: FileCalls
  private var store: SpoolStore
  private var open: [TransactionID: [UInt8]] = [:]
  private var prepared: [TransactionID: Prepared] = [:]
  private var position: UInt64 = 0x1000

  init(_ log: ScratchLog) throws(ChangeLogError) {
    self.log = log
    calls = ScratchLog.calls
    store = try SpoolStore(logDirectory: log.path, calls: calls)
  }

  mutating func step(_ source: inout ByteSource) throws(ChangeLogError) {
    let choice = source.byte()
    let xid = TransactionID(rawValue: UInt32(choice >> 6) + 1)
    position += 0x10
    switch choice % 12 {
    case 0, 1, 2, 3:
      let group = RecordGroup(capacity: 64)
      // From a few bytes to more than a chunk, so that few steps reach the disk.
      let size = Int(source.byte())
      let payload = [UInt8](repeating: choice, count: choice & 0x30 != 0x30 ? size + 1 : size * 400 + 1)
      payload.withUnsafeBytes { group.append(walStart: position, payload: $0) }
      store.append(xid, group)
      try store.flushExcess(xid)
      open[xid, default: []] += group.withUnsafeBytes { Array($0) }
      try expect(store.bytesInMemory <= SpoolStore.pendingLimit, "\(store.bytesInMemory) bytes in memory")
    case 4:
      let held = open[xid]?.count ?? 0
      let bytes = held * Int(source.byte()) / 255
      try store.cut(xid, to: bytes)
      open[xid]?.removeSubrange(bytes...)
    case 6:
      try store.discard(xid)
      open[xid] = nil
    case 5: try remove(xid, &source)
    case 7: try prepare(xid)
    case 8:
      guard prepared[xid] != nil else { break }
      try store.beginCommit(xid, end: LSN(rawValue: position))
      prepared[xid]?.end = LSN(rawValue: position)
    case 9:
      try store.forgetPrepared(xid)
      prepared[xid] = nil
    case 10:
      try store.discardOpen()
      open = [:]
    default: try restart(logEnd: choice & 0x10 == 0 ? .invalid : LSN(rawValue: position))
    }
    // What was touched; all of it after a restart.
    if choice % 12 == 11 {
      for number in 1...4 as ClosedRange<UInt32> { try compare(TransactionID(rawValue: number)) }
    } else {
      try compare(xid)
    }
  }

  /// Takes two ranges out.
  private mutating func remove(_ xid: TransactionID, _ source: inout ByteSource) throws(ChangeLogError) {
    let held = open[xid]?.count ?? 0
    let places = (0..<4).map { _ in held * Int(source.byte()) / 255 }.sorted()
    let ranges = [places[0]..<places[1], places[2]..<places[3]].filter { !$0.isEmpty }
    try store.remove(ranges, of: xid)
    for range in ranges.reversed() { open[xid]?.removeSubrange(range) }
  }

  private mutating func prepare(_ xid: TransactionID) throws(ChangeLogError) {
    // The framer prepares a number once, until it is settled.
    guard prepared[xid] == nil else { return }
    let records = open.removeValue(forKey: xid) ?? []
    let transaction = PreparedTransaction(
      xid: xid, gid: "gid \(position)", prepareLSN: LSN(rawValue: position),
      endLSN: LSN(rawValue: position + 8),
      prepareTime: Timestamp(rawValue: 5), changes: 1, bytes: records.count)
    try store.prepare(transaction)
    prepared[xid] = Prepared(transaction: transaction, records: records)
  }

  /// The process ends, and another begins.
  private mutating func restart(logEnd: LSN) throws(ChangeLogError) {
    store = try SpoolStore(logDirectory: log.path, calls: calls)
    let found = try store.recover(logEnd: logEnd)
    open = [:]
    prepared = prepared.filter { $0.value.end.map { $0 > logEnd } ?? true }
    for xid in prepared.keys { prepared[xid]?.end = nil }
    let expected = prepared.values.map(\.transaction).sorted { $0.prepareLSN < $1.prepareLSN }
    try expect(found == expected, "recovered \(found), expected \(expected)")
  }

  private func compare(_ xid: TransactionID) throws(ChangeLogError) {
    if let records = open[xid] {
      var found: [UInt8] = []
      try store.read(xid) { found += Array($0) }
      try expect(found == records, "\(xid) has \(found.count) bytes in the spool, expected \(records.count)")
    }
    if let held = prepared[xid] {
      var found: [UInt8] = []
      try store.readPrepared(xid) { found += Array($0) }
      try expect(
        found == held.records, "prepared \(xid) holds \(found.count) bytes, not \(held.records.count)")
    }
    let pending = try PreparedTransaction.pending(logDirectory: log.path)
    let expected = prepared.values.filter { $0.end == nil }.map(\.transaction)
    try expect(
      pending == expected.sorted { $0.prepareLSN < $1.prepareLSN }, "pending is \(pending), not \(expected)")
  }

  /// One byte of a prepared spool is changed, or its end is cut off: it is refused.
  mutating func damage(_ source: inout ByteSource) throws(ChangeLogError) {
    try restart(logEnd: .invalid)
    guard let victim = prepared.keys.min(by: { $0.rawValue < $1.rawValue }) else { return }
    let name = "spool/\(SpoolFormat.name(victim))\(SpoolFormat.preparedSuffix)"
    var bytes = try log.contents(name)
    let at = source.number(below: min(bytes.count, 65_536))
    if source.byte() & 1 == 0 { bytes[at] ^= source.byte() | 1 } else { bytes.removeSubrange(at...) }
    try log.write(bytes, to: name)
    do throws(ChangeLogError) {
      _ = try SpoolStore(logDirectory: log.path, calls: calls).recover(logEnd: .invalid)
    } catch {
      guard case .damaged = error else { throw error }
      return
    }
    try expect(false, "\(name), changed at \(at) of \(bytes.count), is believed")
  }

  private func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(ChangeLogError) {
    if !condition { throw .compression(otherwise()) }
  }
}
