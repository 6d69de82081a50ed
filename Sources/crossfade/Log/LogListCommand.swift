import ArgumentParser
import ChangeLog
import Operations

/// `crossfade log ls`: the segments.
struct LogListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "Lists the log's segments, the oldest first.")

  @OptionGroup var log: LogPlace
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try log.load()
      let segments = try reading { () throws(ChangeLogError) in try source.segments() }
      print(json ? Self.json(source, segments).compact : Self.text(segments))
    }
  }

  private static func text(_ segments: [LogSegment]) -> String {
    var table = Table([
      .text("segment"), .number("after"), .number("end"), .number("size"), .number("ratio"),
      .number("transactions"), .number("changes"), .number("timeline"), .text("state"),
    ])
    for segment in segments {
      table.append([
        segment.name, "\(segment.start)", "\(segment.end)", HumanFormat.bytes(segment.bytes),
        segment.ratioText, HumanFormat.count(segment.counts.transactions),
        HumanFormat.count(segment.counts.changes), "\(segment.origin.timeline)",
        segment.isSealed ? "sealed" : "open",
      ])
    }
    return table.rendered()
  }

  private static func json(_ source: LogSource, _ segments: [LogSegment]) -> JSONValue {
    ["directory": .string(source.directory), "segments": .array(segments.map(\.json))]
  }
}

extension LogSegment {
  /// Its file's name.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// How many times smaller it is than its records, with one digit behind the point.
  var ratioText: String { ratio.map(Self.decimal) ?? "-" }

  static func decimal(_ ratio: Double) -> String {
    let tenths = UInt64(min(ratio * 10, 1e15).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  fileprivate var json: JSONValue {
    [
      "file": .string(name), "after": .string("\(start)"), "end": .string("\(end)"),
      "watermark": .string("\(watermark)"), "bytes": .unsigned(bytes),
      "uncompressed_bytes": .unsigned(counts.uncompressedBytes),
      "transactions": .unsigned(counts.transactions), "changes": .unsigned(counts.changes),
      "records": .unsigned(counts.records), "timeline": .integer(Int64(origin.timeline)),
      "sealed": .bool(isSealed),
    ]
  }
}
