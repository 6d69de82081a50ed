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
      `crossfade run`.

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
      }
      if outcome.remaining > 0 { throw ExitCode.differences }
    }
  }
}
