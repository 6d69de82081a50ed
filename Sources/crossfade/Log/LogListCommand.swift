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
      let (segments, catalogue) = try reading { () throws(ChangeLogError) in
        (try source.segments(), try ArchiveCatalogue.load(directory: source.directory))
      }
      let gone = segments.first.map { first in
        catalogue.segments.filter { $0.start < first.start }.map { LogSegment($0, origin: first.origin) }
      }
      let listed = (gone ?? []).map { ($0, "archived") } + segments.map { ($0, Self.state($0, catalogue)) }
      print(json ? Self.json(source, listed).compact : Self.text(listed))
    }
  }

  private static func state(_ segment: LogSegment, _ catalogue: ArchiveCatalogue) -> String {
    guard segment.isSealed else { return "open" }
    return catalogue[segment.start] == nil ? "sealed" : "sealed, archived"
  }

  private static func text(_ segments: [(LogSegment, state: String)]) -> String {
    var table = Table([
      .text("segment"), .number("after"), .number("end"), .number("size"), .number("ratio"),
      .number("transactions"), .number("changes"), .number("timeline"), .text("state"),
    ])
    for (segment, state) in segments {
      table.append([
        segment.name, "\(segment.start)", "\(segment.end)", HumanFormat.bytes(segment.bytes),
        segment.ratioText, HumanFormat.count(segment.counts.transactions),
        HumanFormat.count(segment.counts.changes), "\(segment.origin.timeline)",
        state,
      ])
    }
    return table.rendered()
  }

  private static func json(_ source: LogSource, _ segments: [(LogSegment, state: String)]) -> JSONValue {
    ["directory": .string(source.directory), "segments": .array(segments.map { $0.json($1) })]
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

  fileprivate func json(_ state: String) -> JSONValue {
    [
      "file": .string(name), "after": .string("\(start)"), "end": .string("\(end)"),
      "watermark": .string("\(watermark)"), "bytes": .unsigned(bytes),
      "uncompressed_bytes": .unsigned(counts.uncompressedBytes),
      "transactions": .unsigned(counts.transactions), "changes": .unsigned(counts.changes),
      "records": .unsigned(counts.records), "timeline": .integer(Int64(origin.timeline)),
      "sealed": .bool(isSealed), "held": .bool(state != "archived"),
      "archived": .bool(state.hasSuffix("archived")),
    ]
  }
}
