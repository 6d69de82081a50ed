import ArgumentParser
import ChangeLog
import Derivation
import DualWrite
import Glibc
import LocalCluster
import Migration
import Operations
import Postgres

/// Where the demonstration takes place: the cluster with its ledger, the slot definition, a session to ask questions.
/// Letting it go removes all of it, unless the cluster was told to stay.
final class DemoStage {
  let cluster: Cluster
  let conninfo: String
  /// The slot definition's file.
  let slotPath: String
  /// The change log's directory.
  let logDirectory: String
  /// What `crossfade` is started with.
  let environment: [String: String]
  let definition: SlotDefinition
  /// For questions, and for the ledger's making.
  let connection: Connection
  private let interrupt: Interrupt

  /// Makes the cluster, starts it and creates an empty database `ledger`.
  init(_ plan: DemoPlan, interrupt: Interrupt) throws(Failure) {
    self.interrupt = interrupt
    do throws(ClusterError) {
      cluster = try Cluster.running(plan.cluster)
    } catch {
      throw Failure(error)
    }
    conninfo = cluster.conninfo(database: "ledger")
    slotPath = cluster.path + "/transaction-state.yaml"
    logDirectory = cluster.path + "/log"
    environment = ["CROSSFADE_SOURCE": conninfo, "CROSSFADE_LOG": logDirectory]
    do {
      definition = try SlotDefinition.parse(yaml: DemoSlot.yaml, file: slotPath, environment: environment)
    } catch {
      throw Failure(summary: "\(error)", exitCode: ExitCode.unexpected.rawValue)
    }
    do throws(PostgresError) {
      try Self.connect(cluster.conninfo(), interrupt)
        .query("CREATE DATABASE ledger", purpose: "create the database")
      connection = try Self.connect(conninfo, interrupt)
    } catch {
      throw Failure(error)
    }
    try write(DemoSlot.yaml, to: slotPath)
  }

  /// A session of the demonstration's own.
  func connect() throws(PostgresError) -> Connection { try Self.connect(conninfo, interrupt) }

  /// Asks, and turns what goes wrong into the failure to report.
  func ask<Value>(_ question: (Connection) throws(PostgresError) -> Value) throws(Failure) -> Value {
    do throws(PostgresError) {
      return try question(connection)
    } catch {
      throw Failure(error)
    }
  }

  /// Waits a moment, unless it is time to go.
  func pause(milliseconds: Int) throws(Failure) {
    if interrupt.wait(milliseconds: milliseconds) { throw .interrupted }
  }

  /// The file that a process's words go to.
  func logPath(of name: String) -> String { "\(cluster.path)/\(name).log" }

  private static func connect(_ conninfo: String, _ interrupt: Interrupt) throws(PostgresError) -> Connection
  {
    try Connection(
      conninfo, options: .init(applicationName: "crossfade demo", settings: [("search_path", "pg_catalog")]),
      interrupt: interrupt)
  }

  private func write(_ text: String, to path: String) throws(Failure) {
    guard let file = fopen(path, "w") else {
      throw Failure(
        summary: "\(path) cannot be created: \(String(cString: strerror(errno)))",
        exitCode: ExitCode.cannotCreateOutput.rawValue)
    }
    fputs(text, file)
    fclose(file)
  }
}

extension Failure {
  /// A throw-away cluster that could not be made, started or stopped.
  init(_ error: ClusterError) {
    switch error {
    case .installation(.notFound(let searched)):
      self.init(
        summary: "no PostgreSQL server programs found in \(searched.joined(separator: ", "))",
        hint: "install them with `apt-get install postgresql`, or name their directory in CROSSFADE_PG_BIN",
        exitCode: ExitCode.unavailable.rawValue)
    case .installation: self.init(summary: "\(error)", exitCode: ExitCode.unavailable.rawValue)
    default: self.init(summary: "\(error)", exitCode: ExitCode.unexpected.rawValue)
    }
  }

  /// Somebody pressed Ctrl-C. 130 is what a shell says of a process that SIGINT ended.
  static let interrupted = Failure(
    summary: "interrupted; everything is stopped and removed", exitCode: 130)
}
