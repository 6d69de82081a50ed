import ChangeLog
import Glibc
import PGOutput

/// A log of made-up traffic in a directory that is removed afterwards.
struct LedgerLog {
  let directory: String
  private(set) var changes = 0
  /// Bytes of the records.
  private(set) var recordBytes = 0

  static let origin = OriginIdentity(
    systemIdentifier: 1, timeline: 1, databaseOID: 1, slot: "bench", creationPoint: LSN(rawValue: 0x1000))

  /// An empty log, or none yet.
  init(_ name: String) throws {
    let parent = getenv("CROSSFADE_BENCH_DIRECTORY").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/crossfade-bench-\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("mkdtemp in \(parent) failed: errno \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func writer() throws -> ChangeLogWriter {
    try ChangeLogWriter.open(directory: directory, origin: Self.origin, start: LSN(rawValue: 0x1000))
  }

  /// Writes so many changes, in groups of about so many bytes.
  mutating func record(_ traffic: inout LedgerTraffic, changes: Int, groups bytes: Int) throws {
    let writer = try writer()
    let group = RecordGroup()
    traffic.describe(to: group)
    while traffic.changes < changes {
      traffic.fill(group, bytes: bytes, changes: changes - traffic.changes)
      recordBytes += group.byteCount
      try writer.append(group)
      group.removeAll()
    }
    try writer.sync()
    self.changes = traffic.changes
  }

  /// Writes until the segments hold so many bytes.
  mutating func record(_ traffic: inout LedgerTraffic, stored bytes: Int, groups: Int) throws {
    let writer = try writer()
    let group = RecordGroup()
    traffic.describe(to: group)
    var unsynced = 0
    var count = 0
    while true {
      traffic.fill(group, bytes: groups)
      recordBytes += group.byteCount
      unsynced += group.byteCount
      count += 1
      try writer.append(group)
      group.removeAll()
      guard unsynced > 32 << 20 || count.isMultiple(of: 10_000) else { continue }
      try writer.sync()
      unsynced = 0
      if try stored() >= bytes { break }
    }
    changes = traffic.changes
  }

  /// Bytes of its segments.
  func stored() throws -> Int {
    try LogSource(directory: directory).segments().reduce(0) { $0 + Int($1.bytes) }
  }

  func remove() { _ = try? MeasuredRun(["rm", "-rf", directory]) }
}
