import ArgumentParser
import Derivation
import Logging
import Migration
import Operations
import Postgres

/// `crossfade backfill`: the rows that were there before.
struct BackfillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill",
    abstract: "Derives the rows that were there before capture began, page by page, from where it stood.",
    discussion: """
      Needs `crossfade run` to have begun: what changes meanwhile is the stream's. Each page of rows commits with its \
      progress, so it can be stopped or killed at any moment and run again. Statuses the map does not know go into \
      quarantine.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Forget where an earlier backfill stood and begin anew.") var restart = false
  @Flag(help: "Print one JSON object at the end.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("backfill")
      let display = BackfillDisplay()
      let restart = restart
      let progress = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> BackfillProgress in
        if restart {
          let connection = try MigrationSession.connect(definition, "backfill", interrupt)
          do throws(PostgresError) {
            try Backfill.restart(slot: definition.slot, on: connection)
          } catch {
            throw .postgres(error)
          }
        }
        return try Backfill(definition: definition, interrupt: interrupt, logger: logger).run {
          display.show($0)
        }
      }
      display.finish(progress)
      if json {
        print(
          JSONValue.object([
            ("rows", .integer(progress.rows)), ("written", .integer(progress.written)),
            ("finished", .bool(progress.finished)),
          ]).compact)
      } else {
        print("backfill done: \(progress.rows) rows looked at, \(progress.written) written")
      }
    }
  }
}
