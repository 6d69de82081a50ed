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
          let outcome = try QuarantineRetry(definition: definition, interrupt: interrupt).run()
          try outcome.record(definition, interrupt)
          return outcome
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

extension QuarantineRetry.Outcome {
  /// Tells the audit trail, where there is one and this role may write to it.
  fileprivate func record(_ definition: SlotDefinition, _ interrupt: Interrupt) throws(PostgresError) {
    guard looked > 0 else { return }
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade quarantine \(definition.slot)", settings: [("search_path", "pg_catalog")]),
      interrupt: interrupt)
    var details = AuditEvent.Details()
    details.rows = ["tried": Int64(looked), "released": Int64(released), "left": remaining]
    _ = try connection.transaction(purpose: "write the audit trail") { () throws(PostgresError) in
      try AuditTrail(slot: definition.slot, connection: connection).appendWhereKept(
        AuditEvent(.retried, details: details))
    }
  }
}
