import PGOutput

@testable import Capture
@testable import ChangeLog

/// A stream of any protocol as capture frames and spools it: what it makes of it for the log, read back as protocol 1,
/// is what the assembler reads from the stream itself, without our own transactions; and the log takes it.
enum CaptureFuzz {
  static func check(_ bytes: [UInt8]) throws(Finding) {
    var program = StreamProgram(bytes, describesAsServer: true)
    var reference = CommittedStream(skipsOwn: true)
    var capture = CapturedRecords()
    while let payload = program.next() {
      reference.forget(program.silent)
      guard reference.take(payload, insideStream: reference.isInsideStream) else { break }
      do throws(CaptureError) {
        try capture.take(payload, rolledBack: program.silent)
      } catch {
        throw Finding("\(payload) is refused: \(error)")
      }
      if let problem = capture.problem { throw Finding("after \(payload): \(problem)") }
    }
    let group = RecordGroup(capacity: 64)
    var log = CommittedStream(skipsOwn: false)
    for payload in capture.log {
      try require(log.take(payload, insideStream: false), "the log cannot be read: \(payload)")
      payload.withUnsafeBytes { group.append(walStart: 0, payload: $0) }
    }
    if let defect = group.account.defect { throw Finding("the log would refuse it: \(defect)") }
    for (found, expected) in zip(log.output, reference.output) {
      try require(found == expected, "the log has \(found), the stream \(expected)")
    }
    try require(
      log.output.count == reference.output.count,
      "the log has \(log.output.count) transactions and messages, the stream \(reference.output.count)")
  }
}

/// Does with a framer's actions what capture does, in memory.
private struct CapturedRecords {
  private(set) var log: [[UInt8]] = []
  private(set) var problem: String?
  private var framer = StreamFramer(
    ownOrigin: StreamProgram.ownOrigin, ownPrefix: StreamProgram.ownPrefix,
    ownContent: StreamProgram.ownContent)
  private var spools: [TransactionID: [[UInt8]]] = [:]
  private var prepared: [TransactionID: [[UInt8]]] = [:]

  /// - Parameter rolledBack: what the server would name if it were asked which subtransactions were rolled back.
  mutating func take(_ payload: [UInt8], rolledBack: Set<TransactionID>) throws(CaptureError) {
    if let question = payload.lend({ framer.unsettled($0) }),
      let step = framer.remove(rolledBack.intersection(question.subtransactions), of: question.xid)
    {
      act(step)
    }
    let action = try payload.lend { (raw) throws(CaptureError) in
      try framer.accept(walStart: 1, payload: raw)
    }
    switch action {
    case .hold, .drop, .skip: break
    case .append, .commit: log += framer.takeHeld().map(\.payload) + [payload]
    case .spool(let xid, let idSize):
      spools[xid, default: []] +=
        framer.takeHeld().map(\.payload) + [Array(payload.prefix(1) + payload.dropFirst(1 + idSize))]
    case .change(let step): act(step)
    case .settle(let step, _, let changes): settle(step, changes)
    }
  }

  private mutating func settle(_ step: SpoolStep, _ changes: Int) {
    let before = log.count
    act(step)
    let found = log[before...].count { "IUDTM".utf8.contains($0.first ?? 0) }
    if found != changes { problem = "\(step) puts \(found) changes into the log, not \(changes)" }
  }

  private mutating func act(_ step: SpoolStep) {
    switch step {
    case .discard(let xid): spools[xid] = nil
    case .cut(let xid, let bytes):
      var kept = 0
      let records = (spools[xid] ?? []).prefix { record in
        kept += size(record)
        return kept <= bytes
      }
      if size(records) != bytes, spools[xid] != nil { problem = "\(xid) is cut inside a record, at \(bytes)" }
      spools[xid] = Array(records)
    case .remove(let xid, let ranges):
      var at = 0
      var left: [[UInt8]] = []
      for record in spools[xid] ?? [] {
        let place = at..<at + size(record)
        at = place.upperBound
        if !ranges.contains(where: { $0.overlaps(place) }) { left.append(record) }
      }
      let gone = ranges.reduce(0) { $0 + $1.count }
      if size(left[...]) != at - gone { problem = "\(ranges) of \(xid) are not whole records" }
      spools[xid] = left
    case .splice(let xid, let frame):
      log += [frame.begin] + (spools.removeValue(forKey: xid) ?? []) + [frame.commit]
    case .prepare(let transaction):
      let records = spools.removeValue(forKey: transaction.xid) ?? []
      if size(records[...]) != transaction.bytes {
        problem = "\(transaction) holds \(size(records[...])) bytes"
      }
      prepared[transaction.xid] = records
    case .splicePrepared(let transaction, let frame):
      log += [frame.begin] + (prepared.removeValue(forKey: transaction.xid) ?? []) + [frame.commit]
    case .forgetPrepared(let xid), .commitEmpty(let xid, _): prepared[xid] = nil
    }
  }

  private func size(_ record: [UInt8]) -> Int { RecordHeader.size + record.count }
  private func size(_ records: ArraySlice<[UInt8]>) -> Int { records.reduce(0) { $0 + size($1) } }
}
