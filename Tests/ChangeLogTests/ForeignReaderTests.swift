import Glibc
import PGOutput
import Testing

@testable import ChangeLog

private let hasPython = (try? run(["python3", "-c", "pass"])) == 0

/// docs/examples/read_log.py was written from docs/change-log-format.md alone: where it reads something else than we do,
/// the document is wrong, or does not say enough.
@Suite(
  "The format, read by another language",
  .enabled(if: hasPython, "python3 is not on this machine: its reader is not tried"))
struct ForeignReaderTests {
  private static let script =
    #filePath.split(separator: "/").dropLast(3)
    .reduce("") { "\($0)/\($1)" } + "/docs/examples/read_log.py"

  private func log(_ directory: TemporaryDirectory, seed: UInt64) throws {
    var ledger = RandomLedger(seed: seed, frameBytes: 3_000)
    try ledger.write(150, to: directory.open(segmentBytes: 8_000))
  }

  /// What the script prints, and its exit code.
  private func foreign(_ directory: TemporaryDirectory, after position: LSN? = nil) throws -> (String, Int32)
  {
    let output = "\(directory.path)/out"
    let code = try run(
      ["python3", Self.script, directory.path] + (position.map { ["\($0)"] } ?? []), output: output)
    return (String(decoding: try directory.contents("out"), as: UTF8.self), code)
  }

  /// The same lines, from our own reader.
  private func ours(_ directory: TemporaryDirectory, after position: LSN? = nil) throws -> [String] {
    let units = try LogSource(directory: directory.path).units(after: position.map { Position(endLSN: $0) })
    var lines: [String] = []
    while let head = try units.nextUnit() {
      var tags = ""
      var bytes = 0
      while let record = try units.nextRecord() {
        tags.unicodeScalars.append(Unicode.Scalar(record.tag))
        bytes += LogFormat.recordPrefix + record.range.count
      }
      lines.append("\(head.end) \(head.xid.map { "\($0.rawValue)" } ?? "-") \(tags) \(bytes)")
    }
    return lines
  }

  @Test(
    "it lists the units that our reader lists, from the beginning and from positions", arguments: [11, 12])
  func same(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    try log(directory, seed: seed)
    #expect(directory.segments.count > 3)
    let all = try ours(directory)
    #expect(all.count == 150)
    let positions: [UInt64?] = [nil, 0x1100, 0x3501, 0x8000, 0xA5FF]
    for position in positions.map({ $0.map(LSN.init(rawValue:)) }) {
      let (text, code) = try foreign(directory, after: position)
      #expect(code == 0)
      #expect(text.split(separator: "\n").map(String.init) == (try ours(directory, after: position)))
    }
  }

  @Test("it finds damage, a broken chain, and a version it does not know")
  func damage() throws {
    let directory = try TemporaryDirectory()
    try log(directory, seed: 13)
    let name = directory.segments[1]
    let sound = try directory.contents(name)
    for offset in stride(from: 0, to: sound.count, by: sound.count / 12) {
      var bytes = sound
      bytes[offset] ^= 1
      try directory.write(bytes, to: name)
      #expect(try foreign(directory).1 == 1, "byte \(offset)")
    }
    var version = sound
    version[19] = 2
    try directory.write(version, to: name)
    #expect(try foreign(directory).1 == 1)
    try directory.write(sound, to: name)
    #expect(try foreign(directory).1 == 0)
  }
}
