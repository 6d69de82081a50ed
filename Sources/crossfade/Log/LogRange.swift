public import ArgumentParser
import ChangeLog
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

  /// What to go on after.
  var after: Position? { from.map { Position(endLSN: $0) } }
}
