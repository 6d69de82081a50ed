import PGOutput

@testable import ChangeLog

/// A log is written by a script, then its last segment is damaged: what opens it again finds a prefix of what was
/// written, whole transactions only, never less than was synced if the damage lies behind that; or says that it is
/// damaged. Undamaged, it holds everything.
enum DamageFuzz {
  static func check(_ bytes: [UInt8]) throws(Finding) {
    var source = ByteSource(bytes)
    let log = try ScratchLog()
    defer { log.remove() }
    do throws(ChangeLogError) {
      var script = try LogScript(log, segmentBytes: source.byte() & 1 == 0 ? 64 << 20 : 400)
      let steps = source.number(below: 24)
      for _ in 0..<steps { try script.step(&source) }
      let written = script.written
      script.close()
      try verifyWhole(log, written)
      if source.isEmpty { return }
      try damage(log, written, &source)
    } catch { throw error.finding }
  }

  private static func verifyWhole(_ log: ScratchLog, _ written: Written) throws(ChangeLogError) {
    let read = try log.read()
    try expect(read.bytes == written.whole, "\(written.whole.count) bytes written, \(read.bytes.count) read")
    try expect(
      read.transactions == written.transactions, "\(written.transactions), read \(read.transactions)")
    let report = try LogVerifier.verify(directory: log.path)
    try expect(report.problems.isEmpty, "undamaged, but \(report.problems)")
    try expect(Int(report.counts.transactions) == written.transactions, "other transactions are verified")
  }

  private static func damage(
    _ log: ScratchLog, _ written: Written, _ source: inout ByteSource
  ) throws(ChangeLogError) {
    guard let name = log.segments.last else { return }
    var file = try log.contents(name)
    let sound = file
    for _ in 0..<(1 + source.number(below: 3)) {
      guard !file.isEmpty else { break }
      let at = source.number(below: min(file.count, 65_536))
      switch source.number(below: 5) {
      case 0: file[at] ^= source.byte() | 1
      case 1: file.removeSubrange(at...)
      case 2: for index in at..<min(file.count, at + 1 + Int(source.byte())) { file[index] = 0 }
      case 3: for index in at..<file.count { file[index] = 0 }
      default: file += (0..<source.number(below: 100)).map { _ in source.byte() }
      }
    }
    try log.write(file, to: name)
    let first = zip(file, sound).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let intact = first ?? min(file.count, sound.count)
    let isSynced = name == written.durableSegment && UInt64(intact) >= written.durableOffset
    // A reader, a verifier and a recovery, each by itself.
    _ = try? LogVerifier.verify(directory: log.path)
    if let read = try? log.read() { try written.expectPrefix(read.bytes, atLeastSynced: isSynced) }
    let writer: ChangeLogWriter
    do throws(ChangeLogError) {
      writer = try log.open()
    } catch {
      try expect(!isSynced, "only what was not synced is damaged, but \(error)")
      return
    }
    let read = try log.read()
    try written.expectPrefix(read.bytes, atLeastSynced: isSynced)
    // It goes on.
    let group = RecordGroup(capacity: 64)
    LogScript.transaction(end: 0xFFFF_0000, changes: 1, size: 5, into: group)
    try writer.append(group)
    try writer.sync()
    let after = try log.read()
    try expect(
      after.bytes == read.bytes + group.withUnsafeBytes { Array($0) }, "what is appended is not read")
    let report = try LogVerifier.verify(directory: log.path)
    try expect(report.problems.isEmpty, "recovered, but \(report.problems)")
  }
}

/// What a script wrote.
struct Written {
  /// The records of all whole transactions.
  var whole: [UInt8] = []
  var transactions = 0
  /// Lengths of `whole` at which a transaction ends.
  var ends: [Int] = [0]
  /// How much of `whole` was synced, and where the file stood then.
  var synced = 0
  var durableSegment = ""
  var durableOffset: UInt64 = 0

  func expectPrefix(_ bytes: [UInt8], atLeastSynced: Bool) throws(ChangeLogError) {
    try expect(whole.starts(with: bytes), "records that were never written")
    try expect(ends.contains(bytes.count), "a transaction in part")
    try expect(!atLeastSynced || bytes.count >= synced, "\(synced) bytes were synced, \(bytes.count) stand")
  }
}

/// Writes a log step by step as bytes say, and knows what must be in it.
struct LogScript {
  private(set) var written = Written()
  private let log: ScratchLog
  private let segmentBytes: UInt64
  private var writer: ChangeLogWriter?
  private var end: UInt64 = 0x1000
  /// The records of the transaction that is open.
  private var partial: [UInt8] = []
  private var isOpen = false

  init(_ log: ScratchLog, segmentBytes: UInt64) throws(ChangeLogError) {
    self.log = log
    self.segmentBytes = segmentBytes
    writer = try log.open(segmentBytes: segmentBytes)
    noteDurable()
  }

  mutating func close() { writer = nil }

  mutating func step(_ source: inout ByteSource) throws(ChangeLogError) {
    let group = RecordGroup(capacity: 64)
    let choice = source.byte()
    let size = Int(choice >> 4) * 13
    switch choice % 10 {
    case 0, 1, 2:
      guard !isOpen else { return try more(size, ends: true, group) }
      let count = 1 + Int(choice % 3)
      for _ in 0..<count {
        end += 0x100
        Self.transaction(end: end, changes: 1 + Int(choice >> 6), size: size, into: group)
        written.ends.append(written.whole.count + group.byteCount)
      }
      try writer?.append(group)
      written.whole += group.contents
      written.transactions += count
    case 3, 4:
      guard !isOpen else { return try more(size, ends: false, group) }
      end += 0x100
      Self.begin(end: end, into: group)
      Self.change(size, into: group)
      try writer?.append(group)
      partial = group.contents
      isOpen = true
    case 5:
      if isOpen { try more(size, ends: choice & 0x10 == 0, group) }
    case 6:
      try writer?.discardPartialTransaction()
      isOpen = false
      if let writer { written.durableOffset = min(written.durableOffset, writer.boundary.offset) }
    case 7:
      guard !isOpen else { return }
      end += 0x100
      try writer?.mark(watermark: LSN(rawValue: end))
    case 8:
      try writer?.sync()
      noteDurable()
    default:
      // The process ends, with or without a transaction in the middle.
      writer = nil
      writer = try log.open(segmentBytes: segmentBytes)
      try expect(
        writer?.recovery == nil || isOpen, "nothing was open, but \(String(describing: writer?.recovery))")
      isOpen = false
      noteDurable()
    }
  }

  private mutating func more(_ size: Int, ends: Bool, _ group: RecordGroup) throws(ChangeLogError) {
    Self.change(size, into: group)
    if ends { Self.commit(end: end, into: group) }
    try writer?.append(group)
    partial += group.contents
    guard ends else { return }
    written.whole += partial
    written.transactions += 1
    written.ends.append(written.whole.count)
    isOpen = false
  }

  private mutating func noteDurable() {
    guard let writer else { return }
    written.synced = written.whole.count
    written.durableSegment = LogDirectory.name(writer.current.start) + LogDirectory.suffix
    // A transaction's beginning is on disk too: damage there is damage.
    written.durableOffset = writer.current.offset
  }

  static func transaction(end: UInt64, changes: Int, size: Int, into group: RecordGroup) {
    begin(end: end, into: group)
    for _ in 0..<changes { change(size, into: group) }
    commit(end: end, into: group)
  }

  private static func begin(end: UInt64, into group: RecordGroup) {
    add(group) { writer in
      Begin(
        finalLSN: LSN(rawValue: end - 8), commitTime: Timestamp(rawValue: 0), xid: TransactionID(rawValue: 7)
      ).encode(to: &writer)
    }
  }

  private static func commit(end: UInt64, into group: RecordGroup) {
    add(group) { writer in
      Commit(
        commitLSN: LSN(rawValue: end - 8), endLSN: LSN(rawValue: end), commitTime: Timestamp(rawValue: 0)
      ).encode(to: &writer)
    }
  }

  /// A change, and now and then the table it is of.
  private static func change(_ size: Int, into group: RecordGroup) {
    if size % 3 == 1 {
      add(group) { writer in
        Relation(
          id: RelationID(rawValue: UInt32(size)), namespace: "s", name: "t", replicaIdentity: .default,
          columns: []
        ).encode(to: &writer)
      }
    }
    let text = String(repeating: "changes", count: size / 7) + "\(size)"
    guard let row = try? OwnedTuple([.text(text)]).view else { return }
    var writer = WireWriter()
    Insert(relation: RelationID(rawValue: 1), new: row).encode(to: &writer)
    writer.bytes.withUnsafeBytes { group.append(walStart: 1, payload: $0) }
  }

  private static func add(_ group: RecordGroup, _ body: (inout WireWriter) -> Void) {
    var writer = WireWriter()
    body(&writer)
    writer.bytes.withUnsafeBytes { group.append(walStart: 1, payload: $0) }
  }
}

extension RecordGroup {
  fileprivate var contents: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// Throws a finding in the clothes of the one error type that passes through here.
private func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(ChangeLogError) {
  if !condition { throw .compression(otherwise()) }
}

extension ChangeLogError {
  fileprivate var finding: Finding { Finding("\(self)") }
}
