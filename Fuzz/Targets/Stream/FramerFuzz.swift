import PGOutput

@testable import Capture
@testable import ChangeLog

/// Protocol 1 as capture frames it: what reaches the log is what a naive model says of whole transactions, and the log
/// takes it.
enum FramerFuzz {
  static func check(_ bytes: [UInt8]) throws(Finding) {
    var source = ByteSource(bytes)
    var framer = StreamFramer(ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot")
    var model = FramerModel()
    var script = FramerScript()
    let group = RecordGroup()
    /// What has reached the log, and how much of it is whole.
    var log: [[UInt8]] = []
    var whole = 0
    while let payload = script.next(&source) {
      let action: StreamFramer.Action
      do throws(CaptureError) {
        action = try payload.lend { (raw) throws(CaptureError) in
          try framer.accept(walStart: 1, payload: raw)
        }
      } catch {
        guard case .protocolViolation = error else { throw Finding("refused with \(error)") }
        break
      }
      model.take(payload)
      switch action {
      case .hold, .drop, .spool, .change, .settle: break
      case .skip(let end): try require(end == model.end, "skipped \(end), expected \(model.end)")
      case .append, .commit:
        log += framer.takeHeld().map(\.payload)
        log.append(payload)
        if case .commit(let end) = action {
          try require(end == model.end, "committed \(end), expected \(model.end)")
        }
      }
      try require(
        framer.isInsideTransaction == model.isInside,
        "inside is \(framer.isInsideTransaction) after \(payload)")
      if !model.isInside { whole = log.count }
    }
    try require(
      Array(log.prefix(whole)) == model.log, "\(log.prefix(whole)) reached the log, not \(model.log)")
    for payload in log { payload.withUnsafeBytes { group.append(walStart: 0, payload: $0) } }
    if let defect = group.account.defect {
      // The order of the commits is the server's.
      try require(defect.reason == .notAdvancing, "the log would refuse it: \(defect)")
    }
  }
}

/// Messages of protocol 1 from bytes, mostly in order.
private struct FramerScript {
  private var position: UInt64 = 0x1000
  private var final: LSN?

  mutating func next(_ source: inout ByteSource) -> [UInt8]? {
    guard !source.isEmpty else { return nil }
    position += 0x10
    var writer = WireWriter()
    let choice = source.byte()
    // Bytes of any kind, now and then.
    if choice >= 0xF8 { return (0..<source.number(below: 40)).map { _ in source.byte() } }
    switch choice % 16 {
    case 0, 1, 2:
      if choice < 0xE0, let final {
        Commit(
          commitLSN: final, endLSN: LSN(rawValue: position), commitTime: Timestamp(rawValue: 0)
        ).encode(to: &writer)
        self.final = nil
      } else {
        final = LSN(rawValue: position)
        Begin(
          finalLSN: LSN(rawValue: position), commitTime: Timestamp(rawValue: 0),
          xid: TransactionID(rawValue: 7)
        ).encode(to: &writer)
      }
    case 3, 4:
      Origin(lsn: LSN(rawValue: 1), name: choice & 0x10 == 0 ? "ours" : "theirs").encode(to: &writer)
    case 5, 6, 7:
      let prefix = Array((choice & 0x10 == 0 ? "crossfade" : "app").utf8)
      let content = Array((choice & 0x20 == 0 ? "slot" : "other").utf8)
      LogicalMessage(
        isTransactional: choice % 16 != 7, lsn: LSN(rawValue: position), prefix: prefix.rawBytes,
        content: content.rawBytes
      ).encode(to: &writer)
    case 8: writer.uint8(UInt8(ascii: "A"))
    case 9: writer.uint8(UInt8(ascii: "R"))
    case 10: writer.uint8(UInt8(ascii: "Y"))
    default: writer.uint8(source.pick(Array("IUDT".utf8)))
    }
    if writer.bytes.count == 1 { writer.uint64(position) }
    return writer.bytes
  }
}

/// Gathers a transaction until its commit, and only then asks whose it is.
private struct FramerModel {
  private(set) var log: [[UInt8]] = []
  private(set) var end = LSN.invalid
  private(set) var isInside = false
  private var transaction: [[UInt8]] = []
  private var carried: [[UInt8]] = []
  /// Messages outside of transactions that came while one was open.
  mutating func take(_ payload: [UInt8]) {
    guard let tag = payload.first else { return }
    switch tag {
    case UInt8(ascii: "A"): break
    case UInt8(ascii: "M") where payload[1] & 1 == 0 && !isInside: log.append(payload)
    case UInt8(ascii: "B"):
      isInside = true
      transaction = [payload]
    case UInt8(ascii: "C"):
      isInside = false
      end = LSN(rawValue: payload[10..<18].reduce(0) { $0 << 8 | UInt64($1) })
      close(payload)
    default: transaction.append(payload)
    }
  }

  private mutating func close(_ commit: [UInt8]) {
    let body = transaction.dropFirst()
    let origins = body.prefix { $0.first == UInt8(ascii: "O") }
    let changes = body.dropFirst(origins.count)
    let isOwn = origins.contains { Array($0.dropFirst(9)) == Array("ours\0".utf8) } || isMark(changes.first)
    defer { transaction = [] }
    if isOwn {
      carried += changes.filter { $0.first == UInt8(ascii: "R") || $0.first == UInt8(ascii: "Y") }
    } else if !changes.isEmpty {
      log += transaction.prefix(1) + origins + carried + changes + [commit]
      carried = []
    }
  }

  private func isMark(_ payload: [UInt8]?) -> Bool {
    guard let payload, payload.count == 28, payload[0] == UInt8(ascii: "M"), payload[1] & 1 == 1 else {
      return false
    }
    return Array(payload[10..<20]) == Array("crossfade\0".utf8) && Array(payload[24...]) == Array("slot".utf8)
  }
}
