import Foundation
import PGOutput

/// A recording beside its SQL and what it decodes to (fixtures/README.md).
struct Fixture: CustomStringConvertible, Sendable {
  let name: String

  static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "fixtures/recordings")

  /// Every recording there is; an empty list would make its tests pass for nothing, so `RecordingTests` counts it.
  static let all: [Fixture] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(".sql") }.sorted().map { Fixture(name: String($0.dropLast(4))) }
  }()

  var description: String { name }

  func recording() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Self.directory.appending(path: name + ".pgo")))
  }

  func golden() throws -> String {
    try String(contentsOf: Self.directory.appending(path: name + ".ndjson"), encoding: .utf8)
  }
}

/// What a recording decodes to, fed in pieces of a size.
func decode(_ bytes: [UInt8], format: StreamFormat = .any, pieces: Int = .max) throws -> String {
  var decoder = RecordingDecoder(store: MemoryLineStore(), format: format)
  var start = 0
  while start < bytes.count {
    let end = min(bytes.count, start.addingReportingOverflow(pieces).overflow ? .max : start + pieces)
    try decoder.feed(bytes.rawBytes.extracting(start..<end))
    start = end
  }
  try decoder.finish()
  return String(decoding: decoder.store.output, as: UTF8.self)
}

/// Bytes from hex digits; spaces are for the eye.
func hex(_ digits: String) -> [UInt8] {
  let nibbles = digits.compactMap(\.hexDigitValue)
  return stride(from: 0, to: nibbles.count - 1, by: 2).map { UInt8(nibbles[$0] * 16 + nibbles[$0 + 1]) }
}

/// Hex digits of bytes.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// What a message encodes to.
func encoded(_ message: borrowing Message) -> [UInt8] {
  var writer = WireWriter()
  message.encode(to: &writer)
  return writer.bytes
}

/// A random source that gives the same numbers each time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
