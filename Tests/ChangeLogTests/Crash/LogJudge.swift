import Glibc
import PGOutput
import SimulatedDisk
import Testing

@testable import ChangeLog

/// Opens what a crash has left, and says whether it is what it must be: the first transactions that were sent, whole,
/// with all that anybody was told of; readable before and after, and fit to be gone on with.
struct LogJudge {
  struct Verdict: Error, CustomStringConvertible {
    var what: String
    var description: String { what }
  }

  /// The same files are another case when more was told.
  private struct Case: Hashable {
    var tree: RealTree
    var claimed: UInt64
    var depth: Int
  }

  private(set) var states = 0
  private var seen: Set<Case> = []
  /// How many crashes of the recovery itself are tried, one within the other.
  let depth: Int
  private var seed: UInt64

  init(seed: UInt64, depth: Int = 0) {
    self.seed = seed
    self.depth = depth
  }

  /// Judges what may be left at every moment of a disk: of all that was written, of what was synced alone, and so many
  /// draws between.
  mutating func judge(_ disk: SimulatedDisk, draws: Int, after call: Int? = nil) throws {
    try disk.forEachMoment { number, state in
      guard disk.isWorthJudging(number, after: call) else { return }
      try judge(state, at: "\(number) of \(disk.momentCount)", draws: draws, claimed: 0, depth: depth)
    }
  }

  private mutating func judge(
    _ state: DiskState, at moment: String, draws: Int, claimed: UInt64, depth: Int
  ) throws {
    var losses = [PowerLoss(.nothing), PowerLoss(.everything)]
    for draw in 0..<draws {
      seed &+= 1
      losses.append(PowerLoss(.some([0.5, 0.9, 0.1][draw % 3]), seed: seed))
    }
    for loss in losses {
      let found = Case(tree: state.survivor(loss), claimed: max(claimed, state.claimed), depth: depth)
      guard seen.insert(found).inserted else { continue }
      states += 1
      do {
        try judge(found.tree, claimed: found.claimed, depth: depth)
      } catch {
        throw Verdict(what: "moment \(moment), \(loss): \(error)")
      }
    }
  }

  private mutating func judge(_ tree: RealTree, claimed: UInt64, depth: Int) throws {
    let disk = try SimulatedDisk(tree)
    let summary = try ChangeLogWriter.inspect(directory: disk.path + "/log")
    if summary != nil { try unrecovered(disk.path + "/log", claimed: claimed) }
    let process = LogProcess(disk, timeline: summary?.origin.timeline ?? 1)
    let writer = try process.open()
    try require(
      writer.watermark.rawValue >= claimed, "\(LSN(rawValue: claimed)) was told, \(writer.watermark) is held")
    let count = process.sent
    // In a segment without a transaction it is where the segment starts.
    let last = count == 0 ? LSN.exampleStart : SentUnits.end(count - 1)
    try require(
      (last...writer.watermark).contains(writer.end),
      "it ends at \(writer.end), and its watermark is \(writer.watermark)")
    try holds(count, process.directory)
    try process.perform([.transactions(1), .sync, .transactions(1)])
    try require(process.starts == 1, "what was recovered could not be gone on with")
    try holds(count + 2, process.directory)
    let report = try LogVerifier.verify(directory: process.directory)
    try require(report.problems.isEmpty, "\(report.problems)")
    process.close()
    guard depth > 0 else { return }
    try disk.forEachMoment { number, state in
      try judge(state, at: "\(number) of its recovery", draws: 1, claimed: claimed, depth: depth - 1)
    }
  }

  /// Before a writer has opened it: nothing that was told is missing or called damaged, and nothing else is given.
  private func unrecovered(_ directory: String, claimed: UInt64) throws {
    let sure = SentUnits.count(upTo: LSN(rawValue: claimed))
    var bytes: [UInt8] = []
    do throws(ChangeLogError) {
      let reader = try LogReader(directory: directory, after: .exampleStart)
      while let chunk = try reader.next(timeout: .zero) {
        if !chunk.isRelations { chunk.withUnsafeBytes { bytes += $0 } }
      }
    } catch {
      guard case .damaged = error else { throw error }
    }
    let given = bytes.count
    let possible = SentUnits.contents(sure + 20)
    try require(
      given <= possible.count && memcmp(bytes, possible, given) == 0
        && given >= SentUnits.contents(sure).count,
      "a reader of the unrecovered log is given \(given) bytes")
    for problem in try LogVerifier.verify(directory: directory).problems {
      try require(sure == 0 || problem.position >= SentUnits.end(sure - 1), "\(problem)")
    }
  }

  private func holds(_ count: Int, _ directory: String) throws {
    let expected = SentUnits.contents(count)
    let reader = try LogReader(directory: directory, after: .exampleStart)
    let bytes = try drain(reader).bytes
    try require(
      bytes.count == expected.count && memcmp(bytes, expected, bytes.count) == 0,
      "the log holds \(bytes.count) bytes, not the \(expected.count) of \(count) transactions")
  }

  private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Verdict(what: what()) }
  }
}
