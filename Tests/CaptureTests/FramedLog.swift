import PGOutput

@testable import Capture

/// What a framer makes of a stream: the words that reach the log, and `-END` for each transaction that leaves nothing.
/// Spools are arrays here, and a prepared transaction's is `=END` in the log when it becomes durable.
struct FramedLog {
  private struct Spooled {
    var word: String
    var bytes: Int
  }

  /// Our origin is `ours`, our mark `Mcrossfade/slot`, our corrections `Mcrossfade.correction/...`.
  var framer: StreamFramer
  private(set) var words: [String] = []
  /// What the server would say was rolled back, and what it was asked.
  var rolledBack: Set<TransactionID> = []
  private(set) var asked: [StreamFramer.Unsettled] = []
  private var walStart: UInt64 = 0
  private var open: [TransactionID: [Spooled]] = [:]
  private var prepared: [TransactionID: [Spooled]] = [:]

  init(prepared: [PreparedTransaction] = [], spoolIsComplete: Bool = false) {
    framer = StreamFramer(
      ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot",
      ownCorrections: "crossfade.correction", prepared: prepared, spoolIsComplete: spoolIsComplete)
  }

  var text: String { words.joined(separator: " ") }

  /// The words in the spools of transactions that are open.
  var spooledWords: Int { open.values.reduce(0) { $0 + $1.count } }

  mutating func take(_ stream: String) throws {
    for word in stream.split(separator: " ") { try take(StreamScript.bytes(word)) }
  }

  mutating func take(_ payload: [UInt8]) throws {
    walStart += 1
    let start = walStart
    if let question = payload.withUnsafeBytes({ framer.unsettled($0) }) {
      asked.append(question)
      if let step = framer.remove(rolledBack, of: question.xid) { carryOut(step) }
    }
    let action = try payload.withUnsafeBytes { try framer.accept(walStart: start, payload: $0) }
    switch action {
    case .hold, .drop: return
    case .skip(let end): words.append("-\(end.rawValue)")
    case .append, .commit:
      words += framer.takeHeld().map { StreamScript.word($0.payload) }
      words.append(StreamScript.word(payload))
    case .spool(let xid, let idSize):
      var bytes = payload
      bytes.removeSubrange(1..<(1 + idSize))
      for record in framer.takeHeld().map(\.payload) + [bytes] {
        open[xid, default: []].append(
          Spooled(word: StreamScript.word(record), bytes: 12 + record.count))
      }
    case .change(let step): carryOut(step)
    case .settle(let step, let end, let changes):
      carryOut(step)
      if changes == 0 { words.append("-\(end.rawValue)") }
    }
  }

  private mutating func carryOut(_ step: SpoolStep) {
    switch step {
    case .discard(let xid): open[xid] = nil
    case .cut(let xid, let bytes):
      var left = bytes
      let kept = open[xid]?.prefix { record in
        left -= record.bytes
        return left >= 0
      }
      // A cut falls between two records, never into one.
      if kept?.reduce(0, { $0 + $1.bytes }) != bytes { words.append("torn") }
      open[xid] = kept.map(Array.init)
    case .remove(let xid, let ranges):
      var at = 0
      open[xid] = open[xid]?.filter { record in
        defer { at += record.bytes }
        return !ranges.contains { $0.contains(at) }
      }
    case .splice(let xid, let frame): splice(open.removeValue(forKey: xid), frame)
    case .prepare(let transaction):
      let spool = open.removeValue(forKey: transaction.xid) ?? []
      if spool.reduce(0, { $0 + $1.bytes }) != transaction.bytes { words.append("miscounted") }
      prepared[transaction.xid] = spool
      words.append("=\(transaction.endLSN.rawValue)")
    case .splicePrepared(let transaction, let frame):
      splice(prepared.removeValue(forKey: transaction.xid), frame)
    case .forgetPrepared(let xid), .commitEmpty(let xid, _): prepared[xid] = nil
    }
  }

  private mutating func splice(_ spool: [Spooled]?, _ frame: SpoolStep.Frame) {
    words.append(StreamScript.word(frame.begin))
    words += spool?.map(\.word) ?? ["nothing"]
    words.append(StreamScript.word(frame.commit))
  }
}

/// The words that reach the log.
func framed(_ stream: String) throws -> String {
  var log = FramedLog()
  try log.take(stream)
  return log.text
}

/// What the framer refuses a stream for; nil when it takes it.
func violation(_ stream: String) -> String? {
  var log = FramedLog()
  do {
    try log.take(stream)
    return nil
  } catch {
    guard case CaptureError.protocolViolation(let walStart, let what) = error else { return "\(error)" }
    return "\(walStart): \(what)"
  }
}
