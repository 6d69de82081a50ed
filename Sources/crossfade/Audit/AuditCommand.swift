import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade audit`: who did what, and whether the record of it still stands.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Prints the audit trail of a migration; with --verify, shows that nobody has changed it.",
    discussion: """
      Each row is sealed with a SHA-256 over its content and the hash of the row before. Whoever can write to the tables \
      could write a whole new chain: keep the last hash elsewhere, and compare.

      Exit code 0: it could be read, and with --verify holds; 1: it does not hold.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Follow the chain of hashes, and name what was changed or removed.") var verify = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let trail = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> (rows: [AuditTrail.Row], faults: [AuditTrail.Fault])? in
        let connection = try MigrationSession.connect(definition, "audit", interrupt)
        do throws(PostgresError) {
          return try AuditTrail(slot: definition.slot, connection: connection).read()
        } catch {
          throw .postgres(error)
        }
      }
      guard let trail else {
        throw Failure(
          summary: "slot \(definition.slot) has no audit trail yet",
          hint: "`crossfade expand SLOT` begins it",
          exitCode: ExitCode.cannotOpenInput.rawValue)
      }
      let report = AuditReport(slot: definition.slot, rows: trail.rows, faults: verify ? trail.faults : nil)
      print(json ? report.json.compact : report.text)
      if verify, !trail.faults.isEmpty { throw ExitCode.differences }
    }
  }
}
