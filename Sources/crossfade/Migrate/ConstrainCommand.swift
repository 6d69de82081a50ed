import ArgumentParser
import Derivation
import Migration
import Operations

/// `crossfade constrain`: index and foreign key, once the backfill is done.
struct ConstrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "constrain",
    abstract: "Builds the index on the new column and its foreign key to the map, beside the traffic.",
    discussion: """
      After the backfill. The index is built concurrently and waits for every older transaction of the database; it says \
      for whom. The foreign key is added for new rows first, then validated for the others in another transaction. \
      migrate.index and migrate.foreign_key of the definition say what is wanted. Killed anywhere, it can be run again: \
      an index that was left invalid is dropped and built anew.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var plan: PlanOptions
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let gate = plan.gate
      let logger = logging.logger("constrain")
      let display = StepDisplay(isQuiet: json)
      let outcomes = try await MigrationSession.run { (interrupt) throws(MigrationError) -> [StepOutcome] in
        try Constrain(definition: definition, interrupt: interrupt, logger: logger, gate: gate).run {
          display.show($0)
        }
      }
      display.finish(
        outcomes, of: definition.slot, in: .backfilled, then: "done; next: crossfade verify \(slot.path)")
    }
  }
}
