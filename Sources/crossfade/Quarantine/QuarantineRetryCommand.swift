import ArgumentParser
import Derivation
import DualWrite
import Migration
import Operations
import Postgres

/// `crossfade quarantine retry`.
struct QuarantineRetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract:
      "Derives the rows in quarantine again, as they and the map stand now, and releases what it can.",
    discussion: """
      A row is released when the map knows its status now, or when it is gone from the table. May run beside \
      `crossfade run`. While the application writes both columns nothing is derived: rows that agree by now are \
      released, and the others wait for the application to write them.

      Exit code 0: the quarantine is empty now; 1: some rows remain; 69: the server cannot be reached.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let outcome = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> QuarantineRetry.Outcome in
        do throws(PostgresError) {
          return try QuarantineRetry(definition: definition, interrupt: interrupt).run()
        } catch {
          throw .postgres(error)
        }
      }
      if json {
        print(
          JSONValue.object([
            ("looked", .integer(Int64(outcome.looked))), ("released", .integer(Int64(outcome.released))),
            ("remaining", .integer(outcome.remaining)),
          ]).compact)
      } else {
        print(
          "\(HumanFormat.count(outcome.looked)) rows tried: \(HumanFormat.count(outcome.released)) released, "
            + "\(HumanFormat.count(outcome.remaining)) remain")
        if let note = Self.note(outcome) { print(note) }
      }
      if outcome.remaining > 0 { throw ExitCode.differences }
    }
  }

  private static func note(_ outcome: QuarantineRetry.Outcome) -> String? {
    guard outcome.remaining > 0 else { return nil }
    switch outcome.direction {
    case .forward: return nil
    case .both:
      return
        "nothing was derived, since both columns are written: let the application write the column it means, "
        + "in each row that remains"
    case .rest: return "nothing was looked at, since the old column is retired"
    }
  }
}
