import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade verify`: completeness, correctness, integrity.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compares the new column with what the map makes of the old one, in the whole table.",
    discussion: """
      A row counts as wrong only if it is still wrong when the stream has passed the position at which it was seen. \
      Exit code 0: no difference; 1: differences; anything else: it could not be done.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("verify")
      let result = try await MigrationSession.run { (interrupt) throws(MigrationError) -> Verification in
        let connection = try MigrationSession.connect(definition, "verify", interrupt)
        let witness = Witness(definition: definition, connection: connection)
        return try Verify(
          definition: definition, connection: connection, interrupt: interrupt, logger: logger,
          hasPassed: { (position) throws(PostgresError) -> Bool in try witness.hasPassed(position) }
        ).run()
      }
      print(json ? VerificationReport(result).json.compact : VerificationReport(result).text)
      if result.mismatches > 0 { throw ExitCode.differences }
    }
  }
}

/// A verification, as text and as JSON.
private struct VerificationReport {
  private let result: Verification

  init(_ result: Verification) { self.result = result }

  var text: String {
    var lines = [
      "\(HumanFormat.count(result.rows)) rows: \(HumanFormat.count(result.mismatches)) mismatches "
        + Verification.Class.allCases.map { "\($0.rawValue) \(result.counts[$0] ?? 0)" }.joined(
          separator: ", "
        ).bracketed
    ]
    if result.settled > 0 {
      lines.append(
        "\(HumanFormat.count(result.settled)) rows were still on their way when first seen, and right after")
    }
    if let witness = result.witness { lines.append("judged at \(witness)") }
    for row in result.first {
      lines.append("  \(row.kind.rawValue) \(row.key): \(row.from ?? "NULL") -> \(row.to ?? "NULL")")
    }
    return lines.joined(separator: "\n")
  }

  var json: JSONValue {
    .object([
      ("rows", .integer(result.rows)), ("mismatches", .integer(result.mismatches)),
      (
        "by_class",
        .object(Verification.Class.allCases.map { ($0.rawValue, .integer(result.counts[$0] ?? 0)) })
      ),
      ("settled", .integer(result.settled)), ("witness", result.witness.map { .string($0) } ?? .null),
      (
        "first",
        .array(
          result.first.map { row in
            .object([
              ("class", .string(row.kind.rawValue)), ("key", .string(row.key)),
              ("from", row.from.map { .string($0) } ?? .null), ("to", row.to.map { .string($0) } ?? .null),
            ])
          })
      ),
    ])
  }
}

extension String {
  fileprivate var bracketed: String { "(\(self))" }
}
