import ArgumentParser
import ChangeLog
import Glibc
import Operations
import PGOutput

/// `crossfade log cat`: what was committed.
struct LogCatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Prints the log's transactions, as text or, with --json, as NDJSON.",
    discussion: "The NDJSON is that of `crossfade decode`: a transaction a line.")

  @OptionGroup var log: LogPlace
  @OptionGroup var range: LogRange
  @OptionGroup var archive: RestoreOptions
  @Flag(help: "Print NDJSON, a transaction a line.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try archive.reading(log.load())
      if json { try Self.printJSON(source, range) } else { try await Self.printText(source, range) }
      range.note(endOf: source)
    }
  }

  private static func printText(_ source: LogSource, _ range: LogRange) async throws {
    var output = LineOutput()
    do {
      for try await transaction in source.transactions(after: range.after, through: range.to, follow: false) {
        try output.write(ChangeText.heading(transaction.head))
        while let change = try transaction.next() { try output.write("  " + ChangeText.line(change)) }
      }
    } catch let error as ChangeLogError {
      // What is whole before it is shown.
      try output.flush()
      throw Failure(error)
    }
    try output.flush()
  }

  private static func printJSON(_ source: LogSource, _ range: LogRange) throws {
    signal(SIGPIPE, SIG_IGN)
    var decoder = RecordingDecoder(store: SpillingLineStore())
    var bytes: [UInt8] = []
    var failure: Failure?
    do {
      let units = try reading { () throws(ChangeLogError) in
        try source.units(after: range.after, through: range.to)
      }
      var isFirst = true
      while try reading({ () throws(ChangeLogError) in try units.nextUnit() }) != nil {
        if isFirst { units.knownRelations().withUnsafeBytes { bytes.append(contentsOf: $0) } }
        isFirst = false
        while let record = try reading({ () throws(ChangeLogError) in try units.nextRecord() }) {
          try reading { () throws(ChangeLogError) in
            try record.withPayload { RecordHeader.append($0, walStart: record.walStart, to: &bytes) }
          }
          if bytes.count >= 1 << 18 { try feed(&bytes, to: &decoder) }
        }
      }
    } catch let error as Failure {
      // What is whole before it is printed.
      failure = error
    }
    try feed(&bytes, to: &decoder)
    do throws(SystemError) { try decoder.store.flush() } catch { throw LineOutput.answer(error) }
    if let failure { throw failure }
  }

  private static func feed(
    _ bytes: inout [UInt8], to decoder: inout RecordingDecoder<SpillingLineStore>
  ) throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    do throws(RecordingFailure<SystemError>) {
      try decoder.feed(bytes.rawBytes)
    } catch {
      switch error {
      case .output(let failure): throw LineOutput.answer(failure)
      case .recording(let damage):
        throw Failure(summary: "\(damage)", exitCode: ExitCode.malformedInput.rawValue)
      }
    }
  }
}
