import Glibc
import PGOutput
import Testing

@testable import ChangeLog

/// A log of several small sealed segments and one that is open, with a directory to archive them to.
final class ArchivedLog {
  let log: TemporaryDirectory
  let archive: TemporaryDirectory
  /// The transactions' records, and where each ends.
  private(set) var transactions: [(end: LSN, records: [UInt8])] = []
  private(set) var writer: ChangeLogWriter

  private let table: UInt32

  init(transactions count: Int = 40, table: UInt32 = 16384) throws {
    self.table = table
    log = try TemporaryDirectory()
    archive = try TemporaryDirectory()
    writer = try log.open(segmentBytes: 1500)
    try write(count)
  }

  deinit {
    for place in ["restored", "readers"] {
      for name in (try? Directory.names(in: "\(log.path)/\(place)")) ?? [] {
        unlink("\(log.path)/\(place)/\(name)")
      }
      rmdir("\(log.path)/\(place)")
    }
  }

  /// Appends more transactions, each synced.
  func write(_ count: Int) throws {
    for _ in 0..<count {
      let end = (transactions.last?.end.rawValue ?? 0x1000) + 0x1000
      let group = RecordGroup()
      group.addTransaction(
        end: end, changes: 2, relation: transactions.count % 9 == 0 ? table : nil, textLength: 120)
      try writer.append(group)
      try writer.sync()
      transactions.append((LSN(rawValue: end), group.contents))
    }
  }

  static func command(_ text: String, timeout: Duration = .seconds(20)) throws -> ShellCommand {
    ShellCommand(try ShellTemplate(text), timeout: timeout)
  }

  func copying() throws -> ShellCommand { try Self.command("cp %p \(archive.path)/%f") }

  func bringing() throws -> ShellCommand { try Self.command("cp \(archive.path)/%f %p") }

  func source() throws -> LogSource { LogSource(directory: log.path, restore: LogRestore(try bringing())) }

  /// Archives all that is sealed; the names in the order in which they were archived.
  @discardableResult
  func archiveAll(restore: Bool = false) throws -> [String] {
    let archiver = LogArchiver(
      directory: log.path, archive: try copying(), restore: restore ? try bringing() : nil)
    var names: [String] = []
    while case .archived(let segment) = archiver.step() { names.append(segment.name) }
    return names
  }

  /// Removes the first `count` segments, as retention does.
  func drop(_ count: Int) throws {
    let starts = try LogDirectory(path: log.path).segments()
    try #require(starts.count > count)
    var rules = RetentionRules(before: starts[count])
    rules.archive = .trusted
    let plan = try LogPruner(directory: log.path).prune(rules)
    try #require(plan.drops.count == count, "\(String(describing: plan.held))")
  }

  /// What the readers of this log give after a position, as records.
  func records(_ source: LogSource, after: LSN? = nil) throws -> (bytes: [UInt8], ends: [LSN]) {
    let units = try source.units(after: after.map { Position(endLSN: $0) })
    var bytes: [UInt8] = []
    var ends: [LSN] = []
    while let head = try units.nextUnit() {
      ends.append(head.end)
      while let record = try units.nextRecord() {
        try record.withPayload { payload in
          RecordHeader.append(payload, walStart: record.walStart, to: &bytes)
        }
      }
    }
    return (bytes, ends)
  }

  func expected(after: LSN = .exampleStart) -> [UInt8] {
    transactions.filter { $0.end > after }.flatMap(\.records)
  }
}
