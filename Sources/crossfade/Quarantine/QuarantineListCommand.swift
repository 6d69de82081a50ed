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
        (interrupt) throws(MigrationError) -> (Int64, [QuarantinedRow], [QuarantineCount]) in
        let connection = try MigrationSession.connect(definition, "quarantine", interrupt)
        do throws(PostgresError) {
          return (
            try Quarantine.count(slot: definition.slot, on: connection),
            try Quarantine.list(slot: definition.slot, limit: limit, on: connection),
            try Quarantine.causes(definition.derive, slot: definition.slot, on: connection)
          )
        } catch {
          throw .postgres(error)
        }
      }
      let (count, rows, causes) = found
      print(json ? Self.json(definition.slot, count, rows, causes).compact : Self.text(count, rows, causes))
    }
  }

  private static func text(
    _ count: Int64, _ rows: [QuarantinedRow], _ causes: [QuarantineCount]
  ) -> String {
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
    let more = rest > 0 ? ["and \(HumanFormat.count(rest)) more"] : []
    return ([table.rendered()] + more + [""] + causes.map(\.sentence)).joined(separator: "\n")
  }

  /// How many rows there are of each cause, and what to do about them.
  static func causes(_ causes: [QuarantineCount]) -> JSONValue {
    .array(
      causes.map { cause in
        [
          "cause": cause.cause.map { .string($0.rawValue) } ?? .null, "rows": .integer(cause.rows),
          "mend": .string(cause.mend),
        ]
      })
  }

  private static func json(
    _ slot: String, _ count: Int64, _ rows: [QuarantinedRow], _ causes: [QuarantineCount]
  ) -> JSONValue {
    [
      "slot": .string(slot), "count": .integer(count), "causes": Self.causes(causes),
      "rows": .array(
        rows.map { row in
          [
            "key": .string(row.key), "status": row.status.map { .string($0) } ?? .null,
            "reason": .string(row.reason),
            "cause": QuarantineCause(reason: row.reason).map { .string($0.rawValue) } ?? .null,
            "position": row.position.map { .string("\($0)") } ?? .null,
            "first_seen": .string(row.firstSeen), "last_seen": .string(row.lastSeen),
          ]
        }),
    ]
  }
}
