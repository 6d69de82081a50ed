import Glibc
import PGOutput

@testable import ChangeLog

/// A directory for one log at a time, in memory where there is such a place; it is emptied before each use and
/// removed at the process's end by who made it, or by the next boot.
struct ScratchLog {
  let path: String

  static let start = LSN(rawValue: 0x1000)
  static let origin = OriginIdentity(
    systemIdentifier: 7, timeline: 1, databaseOID: 16_000, slot: "crossfade", creationPoint: start)

  init() throws(Finding) {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    path = "\(parent)/crossfade-fuzz-\(getpid())"
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Finding("mkdir \(path): \(errno)") }
    clear()
  }

  func remove() {
    clear()
    rmdir(path)
  }

  private func clear() {
    for name in Self.names(path + "/spool") { unlink("\(path)/spool/\(name)") }
    rmdir(path + "/spool")
    for name in Self.names(path) { unlink("\(path)/\(name)") }
  }

  /// Nothing here loses power.
  static let calls: FileCalls = {
    var calls = FileCalls.system
    calls.syncData = { _ in 0 }
    calls.syncDirectory = { _ in 0 }
    return calls
  }()

  private static func names(_ path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { found.append(name) }
    }
    return found.sorted()
  }

  var segments: [String] { Self.names(path).filter { $0.hasSuffix(".lz4") } }

  func contents(_ name: String) throws(ChangeLogError) -> [UInt8] {
    let file = try LogFile(path: "\(path)/\(name)", mode: .read)
    var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
    _ = try bytes.lendMutable { (raw) throws(ChangeLogError) in try file.read(at: 0, into: raw) }
    return bytes
  }

  func write(_ bytes: [UInt8], to name: String) throws(ChangeLogError) {
    let file = try LogFile(path: "\(path)/\(name)", mode: .create)
    try bytes.lend { (raw) throws(ChangeLogError) in try file.write(raw, at: 0) }
  }

  func open(origin: OriginIdentity = Self.origin, segmentBytes: UInt64 = 64 << 20) throws(ChangeLogError)
    -> ChangeLogWriter
  {
    var options = ChangeLogWriter.Options(segmentBytes: segmentBytes)
    options.calls = Self.calls
    return try ChangeLogWriter.open(directory: path, origin: origin, start: Self.start, options: options)
  }

  /// All that a reader gives without waiting, leading relations left out.
  func read(after: LSN = Self.start) throws(ChangeLogError) -> (bytes: [UInt8], transactions: Int) {
    let reader = try LogReader(directory: path, after: after)
    var bytes: [UInt8] = []
    var transactions = 0
    while let chunk = try reader.next(timeout: .zero) {
      if chunk.isRelations { continue }
      chunk.withUnsafeBytes { bytes += $0 }
      transactions += chunk.transactions
    }
    return (bytes, transactions)
  }
}
