import ArgumentParser
import Operations
import Postgres

/// `crossfade demo`: a whole migration of a throw-away ledger, under traffic, killed in the middle, and proven.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Migrates a throw-away ledger under traffic, is killed in the middle, and proves the outcome.",
    discussion: """
      Needs PostgreSQL's server programs on this machine (apt-get install postgresql) and nothing else: it makes a \
      cluster of its own on a unix socket, and removes it in the end. Ctrl-C stops everything and leaves nothing behind.

      Exit code 0: every row is right and the application had no error; 1: something was off, and the report says what; \
      anything else: it could not be done.
      """)

  @Option(help: "How many transactions the ledger holds before the migration.") var rows = 1_000_000
  @Option(help: "How many seconds the application is measured alone, before the migration.") var seconds = 8
  @Option(help: "Application transactions a second.") var rate = 500
  @Flag(help: "Leave the cluster up in the end, and say how to connect and what to try.") var keep = false

  func validate() throws {
    guard (1_000...100_000_000).contains(rows) else {
      throw ValidationError("--rows must lie between 1000 and 100000000.")
    }
    guard (1...3_600).contains(seconds) else {
      throw ValidationError("--seconds must lie between 1 and 3600.")
    }
    guard (1...100_000).contains(rate) else { throw ValidationError("--rate must lie between 1 and 100000.") }
  }

  func run() async throws {
    try await atTheEdge {
      guard let interrupt = Interrupt() else {
        throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
      }
      StopSignals.install(interrupt)
      let demo = Demo(
        plan: DemoPlan(rows: rows, aloneSeconds: seconds, transactionsPerSecond: rate, keepsCluster: keep),
        display: DemoDisplay(), interrupt: interrupt)
      // One thread for all of it: the processes it starts are killed when this thread ends (`BoundToThread`).
      let problems = try await onThread { () throws(Failure) -> [String] in try demo.run() }
      if !problems.isEmpty { throw ExitCode.differences }
    }
  }
}
