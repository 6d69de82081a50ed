import Glibc
import PGOutput

@testable import ChangeLog

/// Payloads of protocol 1, just enough for the log to recognise them.
enum Payload {
  static func begin(finalLSN: UInt64, xid: UInt32 = 7) -> [UInt8] {
    [UInt8(ascii: "B")] + big(finalLSN) + big(UInt64(0)) + big(xid)
  }

  static func commit(lsn: UInt64, end: UInt64) -> [UInt8] {
    [UInt8(ascii: "C"), 0] + big(lsn) + big(end) + big(UInt64(0))
  }

  static func relation(_ oid: UInt32, name: String = "transactions") -> [UInt8] {
    [UInt8(ascii: "R")] + big(oid) + Array("public".utf8) + [0] + Array(name.utf8) + [0, 0x64, 0, 0]
  }

  static func type(_ oid: UInt32) -> [UInt8] {
    [UInt8(ascii: "Y")] + big(oid) + Array("public".utf8) + [0] + Array("status".utf8) + [0]
  }

  static func insert(_ oid: UInt32, text: [UInt8]) -> [UInt8] {
    [UInt8(ascii: "I")] + big(oid) + [UInt8(ascii: "N"), 0, 1, UInt8(ascii: "t")] + big(UInt32(text.count))
      + text
  }

  static func message(lsn: UInt64, transactional: Bool, text: String = "hello") -> [UInt8] {
    [UInt8(ascii: "M"), transactional ? 1 : 0] + big(lsn) + Array("prefix".utf8) + [0]
      + big(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
  }
}

extension RecordGroup {
  func add(_ payload: [UInt8], walStart: UInt64 = 0) {
    payload.withUnsafeBytes { append(walStart: walStart, payload: $0) }
  }

  /// A whole transaction whose commit record takes eight bytes and ends at `end`.
  func addTransaction(end: UInt64, changes: Int = 1, relation: UInt32? = nil, textLength: Int = 20) {
    add(Payload.begin(finalLSN: end - 8), walStart: end - 100)
    if let relation { add(Payload.relation(relation)) }
    for change in 0..<changes {
      add(
        Payload.insert(relation ?? 16384, text: Self.text(end &+ UInt64(change), textLength)),
        walStart: end - 50)
    }
    add(Payload.commit(lsn: end - 8, end: end), walStart: end)
  }

  /// Text that differs from seed to seed and does not compress to nothing.
  static func text(_ seed: UInt64, _ length: Int) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<length).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(97 + state % 26)
    }
  }

  var contents: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

/// A directory that is removed with the value that made it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    // In memory where there is such a place: thousands of logs are opened, each with its fsyncs.
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/crossfade-log-XXXXXX\0".utf8.map(CChar.init))
    guard mkdtemp(&template) != nil else {
      throw ChangeLogError.io(operation: "mkdtemp", path: "/tmp", errno: errno)
    }
    path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
  }

  deinit {
    for name in files { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  var files: [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  var segments: [String] { files.filter { $0.hasSuffix(".lz4") } }

  func contents(_ name: String) throws -> [UInt8] {
    let file = try LogFile(path: "\(path)/\(name)", mode: .read)
    var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
    _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
    return bytes
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = try LogFile(path: "\(path)/\(name)", mode: .create)
    try bytes.withUnsafeBytes { try file.write($0, at: 0) }
  }
}

extension OriginIdentity {
  static let example = OriginIdentity(
    systemIdentifier: 0x0102_0304_0506_0708, timeline: 1, databaseOID: 16_000, slot: "crossfade",
    creationPoint: LSN(rawValue: 0x1000))
}

extension LSN {
  static let exampleStart = LSN(rawValue: 0x1000)
}

extension TemporaryDirectory {
  func open(
    start: LSN = .exampleStart, segmentBytes: UInt64 = 64 << 20, tail: LogTail? = nil,
    calls: FileCalls = .system
  ) throws -> ChangeLogWriter {
    var options = ChangeLogWriter.Options(segmentBytes: segmentBytes, tail: tail)
    options.calls = calls
    return try ChangeLogWriter.open(directory: path, origin: .example, start: start, options: options)
  }

  /// All records a reader without a tail gets after `after`, and the commit ends it was told.
  func read(after: LSN = .exampleStart) throws -> (bytes: [UInt8], ends: [LSN]) {
    try drain(LogReader(directory: path, after: after))
  }
}

/// Everything a reader gives without waiting, its leading relations left out.
func drain(_ reader: LogReader) throws -> (bytes: [UInt8], ends: [LSN]) {
  var bytes: [UInt8] = []
  var ends: [LSN] = []
  while let chunk = try reader.next(timeout: .zero) {
    if chunk.isRelations { continue }
    chunk.withUnsafeBytes { bytes += $0 }
    if let end = chunk.lastCommitEnd { ends.append(end) }
  }
  return (bytes, ends)
}

/// Where two runs of bytes differ; nil when they do not. Shorter to read than the difference itself.
func difference(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> String? {
  if a.elementsEqual(b) { return nil }
  let common = zip(a, b).prefix { $0 == $1 }.count
  return "\(a.count) and \(b.count) bytes, the first \(common) the same"
}
