public import ArgumentParser
import ChangeLog
import Operations
public import PGOutput

extension LSN: ExpressibleByArgument {
  /// Reads PostgreSQL's form: `16/B374D848`.
  public init?(argument: String) { self.init(argument) }
}

/// A part of a log.
struct LogRange: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What ends after this position: a transaction's end. Without it, from the log's beginning.",
      valueName: "lsn"))
  var from: LSN?

  @Option(help: ArgumentHelp("What ends here or before. Without it, to the log's end.", valueName: "lsn"))
  var to: LSN?

  func validate() throws {
    if let from, let to, to < from { throw ValidationError("--to \(to) lies before --from \(from)") }
  }

  /// Says on standard error when the range was asked to go past what the log holds: less was given than was named.
  func note(endOf source: LogSource) {
    guard let to, let held = try? ChangeLogWriter.inspect(directory: source.directory)?.watermark, held < to
    else { return }
    LineSink.standardError.write(line: "the log goes up to \(held); --to \(to) lies beyond it")
  }

  /// What to go on after.
  var after: Position? { from.map { Position(endLSN: $0) } }
}
