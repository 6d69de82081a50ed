import ArgumentParser
import Derivation
import Migration
import Operations
import Postgres

/// `crossfade check`: is everything in place?
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Looks whether everything is in place for a slot, and says how to mend what is not. Changes nothing.",
    discussion: """
      Reads the definition, the log's directory and the server's catalogs, in a session that cannot write; a role \
      that may only look will do. Each line passes, warns or fails, with the SQL to run.

      Exit code 0: nothing failed; 1: something failed; 66 or 78: the definition cannot be read, or is wrong; \
      69: the server cannot be reached.
      """)

  @OptionGroup var slot: SlotFile
  @Flag(help: "Print one JSON object.") var json = false
  @Option(
    help: ArgumentHelp("How long the look at all statuses of the table may take.", valueName: "seconds"))
  var scan = 5

  func validate() throws {
    guard (1...86_400).contains(scan) else { throw ValidationError("--scan takes 1 to 86400 seconds") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      guard let interrupt = Interrupt() else {
        throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
      }
      StopSignals.install(interrupt)
      let preflight = Preflight(definition: definition, scanMilliseconds: scan * 1000)
      let local = preflight.local()
      let code: ExitCode
      let report: CheckReport
      do throws(PostgresError) {
        let remote = try await onThread { () throws(PostgresError) -> ([Finding], [NegotiatedOption]) in
          let connection = try preflight.connect(interrupt)
          return (
            [Self.connected(connection)] + (try preflight.remote(connection)),
            try preflight.stream(connection)
          )
        }
        report = CheckReport(slot: definition.slot, findings: local + remote.0, stream: remote.1)
        code = report.failures > 0 ? .differences : .success
      } catch {
        let failure = Failure(error)
        report = CheckReport(
          slot: definition.slot,
          findings: local + [Finding(.fail, "connection", failure.summary, fix: failure.hint)], stream: [])
        code = ExitCode(failure.exitCode)
      }
      print(json ? report.json.compact : report.text(on: .standardOutput))
      if code != .success { throw code }
    }
  }

  private static func connected(_ connection: Connection) -> Finding {
    Finding(.pass, "connection", "database \(connection.database), server process \(connection.backendPID)")
  }
}
