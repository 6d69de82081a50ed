import PGOutput
import SimulatedDisk
import Testing

@testable import Capture
@testable import ChangeLog

/// Opens log and spools as a crash has left them: what was told is held, each transaction once, and none in part.
struct SpoolJudge {
  struct Verdict: Error, CustomStringConvertible {
    var description: String
  }

  /// What must be held after so many happenings.
  private let truth: [SpoolTruth]
  private(set) var states = 0
  private var seen: Set<Case> = []
  private var seed: UInt64

  private struct Case: Hashable {
    var tree: RealTree
    var claimed: UInt64
  }

  init(_ plan: [SpoolHappening], seed: UInt64) {
    truth = (0...(plan.count + 1)).map { SpoolTruth(plan.prefix($0)) }
    self.seed = seed
  }

  mutating func judge(_ disk: SimulatedDisk, draws: Int, after call: Int? = nil) throws {
    try disk.forEachMoment { number, state in
      guard disk.isWorthJudging(number, after: call) else { return }
      var losses = [PowerLoss(.nothing), PowerLoss(.everything)]
      for draw in 0..<draws {
        seed &+= 1
        losses.append(PowerLoss(.some([0.5, 0.9, 0.1][draw % 3]), seed: seed))
      }
      for loss in losses {
        let found = Case(tree: state.survivor(loss), claimed: state.claimed)
        guard seen.insert(found).inserted else { continue }
        states += 1
        do { try judge(found) } catch {
          throw Verdict(description: "moment \(number) of \(disk.momentCount), \(loss): \(error)")
        }
      }
    }
  }

  private func judge(_ found: Case) throws {
    let before = truth[Int(found.claimed)]
    let after = truth[Int(found.claimed) + 1]
    let disk = try SimulatedDisk(found.tree)
    let process = try SpoolProcess(disk)
    let prepared = try process.open()
    let log = try Self.words(process.directory)
    try require(log == before.log || log == after.log, "the log holds \(log.map { $0.prefix(12) })")
    let held = Set(prepared.map(\.xid.rawValue))
    for xid in Set(before.prepared.keys).union(after.prepared.keys).union(held) {
      let expected = before.prepared[xid] ?? after.prepared[xid]
      switch (before.prepared[xid] != nil, after.prepared[xid] != nil) {
      case (true, true): try require(held.contains(xid), "prepared transaction \(xid) is lost")
      case (false, false): try require(!held.contains(xid), "transaction \(xid) is prepared")
      case (true, false) where before.log != after.log:
        try require(
          held.contains(xid) == (log == before.log), "\(xid) is there \(held.contains(xid) ? 2 : 0) times")
      case (true, false), (false, true): break
      }
      guard held.contains(xid), let thread = process.thread else { continue }
      var words: [String] = []
      try thread.spools.readPrepared(TransactionID(rawValue: xid)) { words += Self.words($0) }
      try require(
        words == expected, "prepared transaction \(xid) holds \(words.map { $0.prefix(12) })")
    }
    if let isComplete = process.thread?.spools.isComplete, before.isComplete == after.isComplete {
      try require(isComplete == before.isComplete, "it is\(isComplete ? "" : " not") called complete")
    }
  }

  private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Verdict(description: what()) }
  }

  private static func words(_ directory: String) throws -> [String] {
    var words: [String] = []
    let reader = try LogReader(directory: directory, after: LogFixture.start)
    while let chunk = try reader.next(timeout: .zero) {
      if !chunk.isRelations { chunk.withUnsafeBytes { words += Self.words($0) } }
    }
    return words
  }

  private static func words(_ bytes: UnsafeRawBufferPointer) -> [String] {
    var words: [String] = []
    var at = 0
    while at + 12 <= bytes.count {
      let size = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      words.append(StreamScript.word([UInt8](bytes[(at + 12)..<(at + 12 + size)])))
      at += 12 + size
    }
    return words
  }
}
