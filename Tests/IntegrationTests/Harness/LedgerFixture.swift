import ChangeLog
import LocalCluster
import PGOutput
import Postgres

/// A ledger in a database of its own, and all a `crossfade` beside it needs: slot definition, log directory, commands.
final class LedgerFixture: Sendable {
  let cluster: Cluster
  let database: String
  let slot: String
  let scratch: ScratchDirectory
  let slotFile: String
  /// Who Crossfade connects as; nil is the superuser.
  let user: String?
  /// How the ledger is reached where it is not by `cluster` alone.
  private let source: String?

  /// A cluster that suites share when they neither stop nor configure it.
  static let sharedCluster = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["max_replication_slots"] = "200"
    configuration.settings["max_wal_senders"] = "200"
    return try Cluster.running(configuration)
  }

  /// Makes the database with a ledger of `rows` transactions, or with what `schema` says.
  init(
    _ name: String, rows: Int = 500, on cluster: Cluster? = nil, schema: String? = nil, user: String? = nil,
    source: String? = nil,
    definition: (inout SlotText) -> Void = { _ in }
  ) throws {
    self.cluster = try cluster ?? Self.sharedCluster.get()
    self.user = user
    self.source = source
    database = name
    slot = "cf_\(name)"
    scratch = try ScratchDirectory()
    var text = SlotText(slot: slot)
    definition(&text)
    slotFile = try scratch.write(text.yaml, to: "slot.yaml")
    try Connection(self.cluster.conninfo(), options: .init(applicationName: "test"))
      .query("CREATE DATABASE \(SQLText.identifier(name))", purpose: "create a database")
    if let schema {
      try connect().script(schema, purpose: "create the tables")
    } else {
      try LedgerLoader(rows: rows).createAndLoad(conninfo: conninfo)
    }
  }

  var logDirectory: String { "\(scratch.path)/log" }

  var conninfo: String { source ?? cluster.conninfo(database: database) }

  func connect() throws -> Connection {
    try Connection(conninfo, options: .init(applicationName: "test"))
  }

  private func environment(as user: String?, failPoint: String? = nil) -> [String: String?] {
    [
      "CROSSFADE_SOURCE": source ?? cluster.conninfo(database: database, user: user),
      "CROSSFADE_LOG": logDirectory,
      "CROSSFADE_FAIL_POINT": failPoint, "NO_COLOR": "1",
    ]
  }

  /// Runs a command on the slot definition to its end.
  func command(
    _ name: String, _ options: [String] = [], within limit: Duration = .seconds(60)
  ) throws -> CapturedRun {
    try ChildProcess.run(
      [CrossfadeBinary.path(), name, slotFile] + options, environment: environment(as: user), within: limit)
  }

  /// Runs `crossfade expand` as the superuser, who owns the tables.
  func expand() throws {
    let run = try ChildProcess.run(
      [CrossfadeBinary.path(), "expand", slotFile], environment: environment(as: nil))
    guard run.status.isSuccess else { throw UnexpectedOutput(what: "expand", run: run) }
  }

  /// Starts `crossfade run`, or another command that is to be interrupted.
  ///
  /// - Parameter failPoint: `name:N`, where it is to die; `name:N:hang`, where it is to hang.
  func start(_ command: String = "run", _ options: [String] = [], failPoint: String? = nil) throws
    -> CrossfadeProcess
  {
    try CrossfadeProcess(
      command, slotFile: slotFile, options: options, environment: environment(as: user, failPoint: failPoint),
      outputPath: "\(scratch.path)/\(command).out")
  }

  /// Expands the ledger and starts `crossfade run`; answers when it reads the slot.
  func expandAndStart() throws -> CrossfadeProcess {
    try expand()
    let process = try start()
    try awaitStream(process)
    return process
  }

  /// What a command printed that should have gone otherwise.
  struct UnexpectedOutput: Error, CustomStringConvertible {
    var what: String
    var run: CapturedRun
    var description: String { "\(what) ended with \(run.status): \(run.output)" }
  }
}
