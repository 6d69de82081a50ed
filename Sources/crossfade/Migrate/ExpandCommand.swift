import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade expand`: the new column and the map, beside the old.
struct ExpandCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "expand",
    abstract:
      "Adds the map table, its states and the nullable new column. What is there already is left alone.",
    discussion: """
      The column needs the table's strongest lock for a moment. It is asked for with a lock_timeout of 100 ms to 2 s, \
      in up to 40 attempts with growing waits, so that no transaction ever queues behind it for long.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("expand")
      let done = try await MigrationSession.run { (interrupt) throws(MigrationError) -> [String] in
        let connection = try MigrationSession.connect(definition, "expand", interrupt)
        return try Expand(
          derive: definition.derive, connection: connection, interrupt: interrupt, logger: logger
        ).run()
      }
      if json {
        print(JSONValue.object([("done", .array(done.map { .string($0) }))]).compact)
      } else {
        print(done.isEmpty ? "nothing to do: all is there" : done.joined(separator: "\n"))
      }
    }
  }
}
