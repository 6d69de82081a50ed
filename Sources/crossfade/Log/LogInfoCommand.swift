import ArgumentParser
import ChangeLog
import Operations
import PGOutput

/// `crossfade log info`: the log in a few lines.
struct LogInfoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Tells whose changes the log holds, from where to where, and how much.")

  @OptionGroup var log: LogPlace
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try log.load()
      let info = try reading { () throws(ChangeLogError) in LogInfo(source, try source.segments()) }
      guard let info else { throw Failure(.noLog(directory: source.directory)) }
      print(json ? info.json.compact : info.text)
    }
  }
}

/// What a log's segments amount to.
private struct LogInfo {
  let directory: String
  let first: LogSegment
  let last: LogSegment
  let end: LSN
  let segments: Int
  let sealed: Int
  let bytes: UInt64
  let uncompressed: UInt64
  let transactions: UInt64
  let changes: UInt64
  /// Each timeline, and where its first segment starts.
  let timelines: [(timeline: UInt32, start: LSN)]

  init?(_ source: LogSource, _ all: [LogSegment]) {
    guard let first = all.first, let last = all.last else { return nil }
    directory = source.directory
    self.first = first
    self.last = last
    end = all.map(\.end).max() ?? last.end
    segments = all.count
    sealed = all.count { $0.isSealed }
    bytes = all.reduce(0) { $0 &+ $1.bytes }
    uncompressed = all.reduce(0) { $0 &+ $1.counts.uncompressedBytes }
    transactions = all.reduce(0) { $0 &+ $1.counts.transactions }
    changes = all.reduce(0) { $0 &+ $1.counts.changes }
    var timelines: [(timeline: UInt32, start: LSN)] = []
    for segment in all where timelines.last?.timeline != segment.origin.timeline {
      timelines.append((segment.origin.timeline, segment.start))
    }
    self.timelines = timelines
  }

  var text: String {
    let origin = last.origin
    let ratio = bytes > 0 && uncompressed > 0 ? LogSegment.decimal(Double(uncompressed) / Double(bytes)) : "-"
    let lines = [
      "directory     \(directory)",
      "slot          \(origin.slot)",
      "source        system \(origin.systemIdentifier), database \(origin.databaseOID)",
      "timelines     "
        + timelines.map { "\($0.timeline) from \($0.start)" }.joined(separator: ", "),
      "read from     \(origin.creationPoint)",
      "held          after \(first.start), up to \(end)",
      "watermark     \(last.watermark)",
      "segments      \(HumanFormat.count(segments)), \(HumanFormat.count(sealed)) sealed",
      "size          \(HumanFormat.bytes(bytes)), \(ratio) times smaller than its records",
      "transactions  \(HumanFormat.count(transactions))",
      "changes       \(HumanFormat.count(changes))",
    ]
    return lines.joined(separator: "\n")
  }

  var json: JSONValue {
    let origin = last.origin
    return [
      "directory": .string(directory), "slot": .string(origin.slot),
      "system_identifier": .string("\(origin.systemIdentifier)"),
      "database_oid": .integer(Int64(origin.databaseOID)),
      "timelines": .array(
        timelines.map { ["timeline": .integer(Int64($0.timeline)), "after": .string("\($0.start)")] }),
      "creation_point": .string("\(origin.creationPoint)"), "after": .string("\(first.start)"),
      "end": .string("\(end)"), "watermark": .string("\(last.watermark)"),
      "segments": .integer(Int64(segments)), "sealed": .integer(Int64(sealed)), "bytes": .unsigned(bytes),
      "uncompressed_bytes": .unsigned(uncompressed), "transactions": .unsigned(transactions),
      "changes": .unsigned(changes),
    ]
  }
}
