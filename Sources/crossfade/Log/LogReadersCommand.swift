import ArgumentParser
import ChangeLog
import Operations
import PGOutput

/// `crossfade log readers`: who the log is kept for.
struct LogReadersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "readers", abstract: "Lists the readers the log is kept for, or forgets one.",
    discussion: """
      Retention drops nothing that one of them has not read. `crossfade run` keeps the dual-write's position there; \
      others register themselves. Exit code 0; 1: --forget names a reader that is not there.
      """)

  @OptionGroup var log: LogPlace
  @Option(help: ArgumentHelp("Forget this reader: the log is kept for it no longer.", valueName: "name"))
  var forget: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try log.load()
      let readers = LogReaders(directory: source.directory)
      if let forget {
        let wasThere = try reading { () throws(ChangeLogError) in try readers.forget(forget) }
        print(wasThere ? "reader \(forget) is forgotten" : "there is no reader \(forget)")
        if !wasThere { throw ExitCode.differences }
        return
      }
      let (entries, segments) = try reading { () throws(ChangeLogError) in
        (try readers.list(), try source.segments())
      }
      let lines = entries.map { ReaderLine($0, segments) }
      print(json ? JSONValue.array(lines.map(\.json)).compact : Self.text(lines))
    }
  }

  private static func text(_ lines: [ReaderLine]) -> String {
    guard !lines.isEmpty else { return "the log is kept for no named reader" }
    var table = Table([
      .text("reader"), .text("kind"), .number("position"), .number("behind"), .number("holds"),
      .number("said"),
    ])
    for line in lines {
      table.append([
        line.name, line.reader?.kind ?? "-", line.reader.map { "\($0.position)" } ?? "-",
        line.behind.map(HumanFormat.bytes) ?? "-", HumanFormat.bytes(line.holds),
        line.reader.map { "\(StatusReport.time(Double(UTCInstant.now().seconds - $0.updatedAt))) ago" }
          ?? "-",
      ])
    }
    let troubles = lines.compactMap { line in line.trouble.map { "\(line.name) holds the whole log: \($0)" } }
    return ([table.rendered()] + troubles).joined(separator: "\n")
  }
}

/// A named reader beside the log it reads.
private struct ReaderLine {
  let name: String
  let reader: NamedReader?
  let trouble: String?
  /// Bytes of WAL from its position to the log's end.
  let behind: UInt64?
  /// Bytes of the segments that it has not read to their ends.
  let holds: UInt64

  init(_ entry: LogReaders.Entry, _ segments: [LogSegment]) {
    name = entry.name
    switch entry.reader {
    case .success(let found):
      reader = found
      trouble = nil
    case .failure(let error):
      reader = nil
      trouble = "\(error)"
    }
    let position = reader?.position.endLSN ?? .invalid
    let end = segments.last?.watermark ?? .invalid
    behind = reader == nil ? nil : end > position ? end.bytes(since: position) : 0
    holds = segments.filter { $0.watermark > position }.reduce(0) { $0 &+ $1.bytes }
  }

  var json: JSONValue {
    [
      "reader": .string(name), "kind": reader.map { .string($0.kind) } ?? .null,
      "position": reader.map { .string("\($0.position)") } ?? .null,
      "behind_bytes": behind.map { .unsigned($0) } ?? .null, "holds_bytes": .unsigned(holds),
      "updated_at": reader.map { .integer($0.updatedAt) } ?? .null,
      "pid": reader.map { .integer(Int64($0.pid)) } ?? .null,
      "error": trouble.map { .string($0) } ?? .null,
    ]
  }
}
