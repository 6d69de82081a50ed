import ArgumentParser
import Derivation
import Migration
import Operations

/// `crossfade expand`: the new column and the map, beside the old.
struct ExpandCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expand",
    abstract:
      "Adds the map table, its states and the nullable new column. What is there already is left alone.",
    discussion: """
      The column needs the table's strongest lock for a moment. It is asked for again and again, each time for no longer \
      than migrate.lock_timeout, and not at all while somebody holds it in a long transaction, so that nobody ever queues \
      behind it for long. Killed anywhere, it can be run again. `crossfade rollback` is the way back.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var plan: PlanOptions
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let gate = plan.gate
      let logger = logging.logger("expand")
      let display = StepDisplay(isQuiet: json)
      let outcomes = try await MigrationSession.run { (interrupt) throws(MigrationError) -> [StepOutcome] in
        try Expand(definition: definition, interrupt: interrupt, logger: logger, gate: gate).run {
          display.show($0)
        }
      }
      display.finish(
        outcomes, of: definition.slot, in: .expanded, then: "expanded; next: crossfade run \(slot.path)")
    }
  }
}
