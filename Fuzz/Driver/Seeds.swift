import Foundation
import PGOutput

/// What a corpus begins with when there is none: real streams cut into records, real logs, real definitions.
enum Seeds {
  /// The seeds of a target, made from the project's own fixtures.
  static func of(_ target: FuzzTarget, project: URL) throws -> [[UInt8]] {
    switch target {
    case .message: try recordings(project).flatMap(messages)
    case .recording: try recordings(project).flatMap(cuts)
    case .segment: try (0..<UInt8(8)).flatMap(segments)
    case .definition:
      try files(in: project.appending(path: "slots"), "yaml").map { [UInt8](try Data(contentsOf: $0)) }
    case .text: texts
    // Programs: whatever the bytes are, they are a stream.
    case .assembler, .capture, .spool, .damage:
      (0..<UInt8(8)).map { seed in (0..<64).map { $0 &* 37 &+ seed &* 91 } }
    }
  }

  private static func files(in folder: URL, _ suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(suffix) }.map { folder.appending(path: $0) }
  }

  private static func recordings(_ project: URL) throws -> [[UInt8]] {
    try files(in: project.appending(path: "fixtures/recordings"), ".pgo").map {
      [UInt8](try Data(contentsOf: $0))
    }
  }

  /// Short messages, each as it reads outside of a streamed block and inside one.
  private static func messages(_ recording: [UInt8]) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    var records = RecordCursor(recording.rawBytes)
    while let record = try records.next() {
      guard record.payload.byteCount < 200 else { continue }
      found += [[0x03], [0x83]].map { $0 + Array(record.payload) }
    }
    return found
  }

  /// A recording's beginning, without what is large.
  private static func cuts(_ recording: [UInt8]) throws -> [[UInt8]] {
    var kept: [UInt8] = [0, 60]
    var records = RecordCursor(recording.rawBytes)
    while let record = try records.next(), kept.count < 4_000 {
      if record.payload.byteCount < 500 {
        RecordHeader.append(record.payload, walStart: record.walStart, to: &kept)
      }
    }
    return [kept]
  }

  /// The first segment of a log that was written by a script, sealed or not.
  private static func segments(_ seed: UInt8) throws -> [[UInt8]] {
    let log = try ScratchLog()
    defer { log.remove() }
    var source = ByteSource((0..<40).map { $0 &* 29 &+ seed &* 17 })
    var script = try LogScript(log, segmentBytes: seed & 1 == 0 ? 64 << 20 : 400)
    for _ in 0..<(4 + seed) { try script.step(&source) }
    script.close()
    let file = try log.contents(log.segments.first ?? "")
    return [[0] + file, [1] + file]
  }

  private static let texts: [[UInt8]] = [
    (0, "16/B374D848"), (7, "1\t0/3000000\tno recovery target\n# c\n2 0/5000000 x"), (1, "500ms"),
    (2, "64MiB"), (3, "public.\"My Table\""), (3, "status"),
    (4, "host=/run/x port=5432 user=u password='se cret\\'1' dbname=d"),
    (4, "postgresql://u:hunter2@h:5432/d?a=b"),
    (8, "u:hunter2@h1:5432,h2/d?sslpassword=abc&connect_timeout=5"), (5, "\u{1}\u{2}abcdef"),
    (6, "it's a \\ \"name\""),
  ].map { [$0.0] + Array($0.1.utf8) }
}
