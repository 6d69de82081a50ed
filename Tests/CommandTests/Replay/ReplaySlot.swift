import ChangeLog
import Derivation
import Foundation
import LocalCluster
import Postgres
import Replay
import Testing

/// What the tests of a replay do with a slot.
extension LedgerSlot {
  /// Runs `crossfade replay`. With an unreachable source unless a test wants it.
  func replay(
    _ arguments: String..., source: String? = nil, failPoint: String? = nil
  ) throws -> CapturedRun {
    var environment = environment
    if let source { environment["CROSSFADE_SOURCE"] = source }
    if let failPoint { environment["CROSSFADE_FAIL_POINT"] = failPoint }
    return try ChildProcess.run(
      [try CrossfadeBinary.path(), "replay", path] + arguments, environment: environment,
      within: .seconds(60))
  }

  /// A change that capture drops: marked as one of our own.
  func hidden(_ statements: String) throws {
    try sql(
      "BEGIN; SELECT pg_logical_emit_message(true, 'crossfade', '\(name)'); \(statements); COMMIT")
  }

  /// Waits until everything that is committed by now is applied, by a change of the row 99.
  func awaitApplied() throws {
    try sql("UPDATE transactions SET status = 'AUTH' WHERE id = 99")
    try #require(try self.await("SELECT state_id = 1 FROM transactions WHERE id = 99"), "\(lastWords)")
    try sql("UPDATE transactions SET status = 'EXPIRED' WHERE id = 99")
    try #require(try self.await("SELECT state_id = 8 FROM transactions WHERE id = 99"), "\(lastWords)")
  }

  /// What `run` has said last.
  private var lastWords: String {
    let said = (try? String(contentsOfFile: directory + "/run.log", encoding: .utf8)) ?? ""
    return said.split(separator: "\n").suffix(20).joined(separator: "\n")
  }

  /// An expanded slot whose `run` has begun; its rows have no state yet but those that change.
  static func running(_ name: String) throws -> LedgerSlot {
    let slot = try LedgerSlot(name)
    try #require(try slot.crossfade("expand").status == .exited(0))
    try slot.start()
    return slot
  }

  /// The ends of the log's transactions, the first first.
  func ends() throws -> [String] {
    let run = try ChildProcess.run(
      [try CrossfadeBinary.path(), "log", "cat", path, "--json"], environment: environment,
      within: .seconds(60))
    return try run.output.lines.map { line in
      let found = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(found?["end_lsn"] as? String)
    }
  }

  /// The log's only segment.
  func segment() throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".lz4") }
    return "\(log)/\(try #require(names.sorted().first))"
  }
}

extension LedgerSlot {
  /// Changes a byte of the data of a frame of the log: the one with this number among those that hold records.
  func spoilFrame(_ number: Int) throws {
    let path = try segment()
    var bytes = try #require(FileManager.default.contents(atPath: path))
    let magic = Data([0x52, 0x2A, 0x4D, 0x18])
    var from = bytes.startIndex
    var count = -1
    while count < number {
      let announcement = try #require(bytes.range(of: magic, in: from..<bytes.endIndex))
      from = announcement.upperBound
      // A watermark announces nothing: its length is 0.
      if bytes[from + 4..<from + 8].contains(where: { $0 != 0 }) { count += 1 }
    }
    bytes[from + 68 + 8] ^= 0xFF
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}

extension LedgerSlot {
  /// The definition as the program reads it.
  func parsed() throws -> SlotDefinition {
    try SlotDefinition.parse(
      yaml: definition, file: "slot.yaml", environment: environment.compactMapValues { $0 })
  }

  /// The whole log compared with the target, by limits of one's own: the class of each key that differs.
  func compared(window: Int, suspects: Int) throws -> ([String: String], DiffSummary) {
    let definition = try parsed()
    let source = LogSource(directory: log)
    let interrupt = try #require(Interrupt())
    let target = try TargetReader(definition, interrupt: interrupt)
    let range = try ReplayRange(after: nil, end: .log).resolved(
      in: source, derive: definition.derive, crossesDamage: false)
    var limits = Diff.Limits()
    (limits.window, limits.suspects) = (window, suspects)
    var found: [String: String] = [:]
    let summary = try Diff(
      log: source, definition: definition, range: range, keys: nil, crossesDamage: false, map: target.map(),
      target: target, limits: limits, interrupt: interrupt
    ).run(
      report: { found[$0.key.columns[0].string] = $0.kind.rawValue }, progress: { _, _ in })
    return (found, summary)
  }
}

/// Lines of JSON objects.
func objects(_ run: CapturedRun) throws -> [[String: Any]] {
  try run.output.lines.filter { $0.hasPrefix("{") }.map { line in
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
  }
}
