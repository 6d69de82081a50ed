import ArgumentParser
import Derivation
import DualWrite
import Migration
import Operations
import PGOutput
import Postgres

/// `crossfade quarantine list`.
struct QuarantineListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the rows in quarantine, the first seen first.",
    discussion: "Exit code 0, whether there are any or not; 69: the server cannot be reached.")

  @OptionGroup var slot: SlotFile
  @Flag(help: "Print one JSON object.") var json = false
  @Option(help: ArgumentHelp("At most so many.", valueName: "rows")) var limit = 100

  func validate() throws {
    guard (0...1_000_000).contains(limit) else { throw ValidationError("--limit takes 0 to 1000000") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let limit = limit
      let found = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> (Int64, [QuarantinedRow]) in
        let connection = try MigrationSession.connect(definition, "quarantine", interrupt)
        do throws(PostgresError) {
          return (
            try Quarantine.count(slot: definition.slot, on: connection),
            try Quarantine.list(slot: definition.slot, limit: limit, on: connection)
          )
        } catch {
          throw .postgres(error)
        }
      }
      let (count, rows) = found
      print(json ? Self.json(definition.slot, count, rows).compact : Self.text(count, rows))
    }
  }

  private static func text(_ count: Int64, _ rows: [QuarantinedRow]) -> String {
    guard count > 0 else { return "the quarantine is empty" }
    var table = Table([
      .text("key"), .text("status"), .number("position"), .text("first seen"), .text("reason"),
    ])
    for row in rows {
      table.append([
        row.key, row.status.map { "'\($0)'" } ?? "NULL", row.position.map { "\($0)" } ?? "-", row.firstSeen,
        row.reason,
      ])
    }
    let rest = count - Int64(rows.count)
    return table.rendered() + (rest > 0 ? "\nand \(HumanFormat.count(rest)) more" : "")
  }

  private static func json(_ slot: String, _ count: Int64, _ rows: [QuarantinedRow]) -> JSONValue {
    [
      "slot": .string(slot), "count": .integer(count),
      "rows": .array(
        rows.map { row in
          [
            "key": .string(row.key), "status": row.status.map { .string($0) } ?? .null,
            "reason": .string(row.reason), "position": row.position.map { .string("\($0)") } ?? .null,
            "first_seen": .string(row.firstSeen), "last_seen": .string(row.lastSeen),
          ]
        }),
    ]
  }
}
