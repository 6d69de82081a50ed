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
      quarantine, and so do rows that the server refuses to write.

      With words behind the slot it talks to the backfill that runs: \(ControlCommand.usage).
      """)

  @OptionGroup var slot: SlotFile
  @Argument(help: ArgumentHelp("What to say to the backfill that runs; nothing: run it.", valueName: "word"))
  var words: [String] = []
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Forget where an earlier backfill stood and begin anew.") var restart = false
  @Flag(help: "Print one JSON object at the end.") var json = false

  func validate() throws {
    guard !words.isEmpty else { return }
    do { _ = try ControlCommand(words: words) } catch { throw ValidationError("\(error)") }
    if restart { throw ValidationError("--restart goes with running it, not with `\(words[0])`") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      if let command = try? ControlCommand(words: words), !words.isEmpty {
        return try await BackfillControl(definition: definition, command: command, json: json).run()
      }
      let logger = logging.logger("backfill")
      let display = BackfillDisplay()
      let restart = restart
      let progress = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> BackfillProgress in
        if restart { try Self.restart(definition, interrupt) }
        return try Backfill(definition: definition, interrupt: interrupt, logger: logger).run {
          display.show($0)
        }
      }
      display.finish(progress)
      print(json ? BackfillReport(progress).json.compact : "backfill done: \(BackfillReport(progress).text)")
    }
  }

  private static func restart(
    _ definition: SlotDefinition, _ interrupt: Interrupt
  ) throws(MigrationError) {
    let connection = try MigrationSession.connect(definition, "backfill", interrupt)
    do throws(PostgresError) {
      try Backfill.restart(slot: definition.slot, on: connection)
    } catch {
      throw .postgres(error)
    }
  }
}
