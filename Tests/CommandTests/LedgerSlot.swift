import Foundation
import LocalCluster
import Postgres
import Testing

/// A ledger, a slot definition and a log directory of their own for one test. Slots are a cluster's, so their names
/// are the tests'.
final class LedgerSlot {
  let cluster: Cluster
  let name: String
  let directory: String
  var user: String?
  /// `crossfade run`, while it is up.
  private(set) var running: ChildProcess?

  private static let shared = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.settings["max_slot_wal_keep_size"] = "1GB"
    return try Cluster.running(configuration)
  }

  /// - Parameters:
  ///   - more: lines put behind the definition.
  ///   - schema: what makes the ledger; nil for the usual one.
  init(
    _ name: String, rows: Int = 100, on cluster: Cluster? = nil, more: String = "", schema: String? = nil
  ) throws {
    self.cluster = try cluster ?? Self.shared.get()
    self.name = name
    directory = NSTemporaryDirectory() + "crossfade-\(name)-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Connection(self.cluster.conninfo(), options: .init(applicationName: "command test"))
      .query("CREATE DATABASE \(SQLText.identifier(name))", purpose: "create a database")
    if let schema {
      try Connection(self.cluster.conninfo(database: name), options: .init(applicationName: "command test"))
        .script(schema, purpose: "create the tables")
    } else {
      try LedgerLoader(rows: rows).createAndLoad(conninfo: self.cluster.conninfo(database: name))
    }
    try (definition + more).write(toFile: path, atomically: true, encoding: .utf8)
  }

  deinit {
    running?.stop(SIGKILL)
    if cluster.isRunning {
      // A slot left behind would keep the shared cluster from checking the limits of the next test.
      _ = try? connect().query(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active",
        [.text(name)], purpose: "drop the slot")
    }
    try? FileManager.default.removeItem(atPath: directory)
  }

  var path: String { directory + "/slot.yaml" }
  var log: String { directory + "/log" }

  /// The definition in `slots/`, under this test's name.
  var definition: String {
    """
    version: 1
    slot: \(name)
    source:
      connection: ${CROSSFADE_SOURCE}
    derive:
      table: public.transactions
      key: [id]
      from: status
      to: state_id
      map:
        table: public.transaction_state
        id: id
        code: code
        status: legacy_status
        states:
          - {id: 1, code: authorized, status: AUTH}
          - {id: 2, code: captured, status: CAPTURED}
          - {id: 3, code: settled, status: Settled}
          - {id: 4, code: declined, status: DECLINED}
          - {id: 5, code: reversed, status: reversed}
          - {id: 6, code: refunded, status: REFUNDED}
          - {id: 7, code: chargeback, status: CHARGE BACK}
          - {id: 8, code: expired, status: EXPIRED}
    log:
      directory: \(log)

    """
  }

  var environment: [String: String?] {
    ["CROSSFADE_SOURCE": cluster.conninfo(database: name, user: user), "NO_COLOR": "1"]
  }

  /// Whether a publication can list columns: 15 and later.
  var hasColumnLists: Bool { cluster.installation.majorVersion >= 15 }

  /// Whether pgoutput sends logical messages, so that our writes can carry one as a mark: 14 and later.
  var hasMessages: Bool { cluster.installation.majorVersion >= 14 }

  func connect() throws -> Connection {
    try Connection(cluster.conninfo(database: name), options: .init(applicationName: "command test"))
  }

  @discardableResult
  func sql(_ statement: String) throws -> String? {
    try connect().script(statement, purpose: "run a test's statement")[0, 0]
  }

  /// Runs a command about this slot: `["quarantine", "list"]`, with what follows the definition.
  func crossfade(_ command: String..., more: [String] = []) throws -> CapturedRun {
    try ChildProcess.run(
      [try CrossfadeBinary.path()] + command + [path] + more, environment: environment, within: .seconds(60))
  }

  /// Starts `crossfade run` and waits until it reads the slot.
  func start() throws {
    running = try ChildProcess(
      [try CrossfadeBinary.path(), "run", path], environment: environment,
      output: .file(directory + "/run.log"),
      errors: .file(directory + "/run.log"))
    let connection = try connect()
    let reads = try eventually(within: .seconds(30)) {
      try connection.query(
        """
        SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active)
           AND to_regclass('crossfade.checkpoint') IS NOT NULL
        """, [.text(name)], purpose: "look at the slot"
      ).boolean(0, 0)
        && connection.query(
          "SELECT EXISTS (SELECT FROM crossfade.checkpoint WHERE slot = $1)", [.text(name)], purpose: "look"
        ).boolean(0, 0)
    }
    try #require(
      reads,
      "run did not start: \((try? String(contentsOfFile: directory + "/run.log", encoding: .utf8)) ?? "")")
  }

  /// Ends `crossfade run`, in order or by force, and waits until the server has noticed.
  func stop(_ signal: Int32 = SIGTERM) throws {
    let ended = running?.stop(signal, grace: .seconds(20))
    running = nil
    try #require(ended != nil)
    let connection = try connect()
    let free = try eventually(within: .seconds(20)) {
      try !connection.query(
        "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active)", [.text(name)],
        purpose: "look at the slot"
      ).boolean(0, 0)
    }
    try #require(free)
  }

  /// Waits until a query gives `t`.
  func await(_ condition: String, within limit: Duration = .seconds(20)) throws -> Bool {
    let connection = try connect()
    return try eventually(within: limit) { try connection.query(condition, purpose: "await").boolean(0, 0) }
  }
}

/// Output as JSON.
func object(_ run: CapturedRun) throws -> [String: Any] {
  try #require(
    try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.output)")
}

/// All suites that start servers: one after the other, there are few cores.
@Suite("Commands against real servers", .serialized, .timeLimit(.minutes(5))) struct CommandTests {}
