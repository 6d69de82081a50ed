public import Derivation
import Postgres

/// Opens the sessions of a migration's command, each with what a long step needs of it.
public struct SlotConnection: Sendable {
  /// The slot.
  public let slot: String
  private let string: String
  private let command: String
  private let indexWorkers: Int

  /// Sessions with the source of a definition, for a command: `expand`.
  public init(_ definition: SlotDefinition, command: String) {
    slot = definition.slot
    string = definition.source.revealed
    self.command = command
    indexWorkers = definition.migrate.indexWorkers
  }

  /// Opens one.
  ///
  /// - Parameter purpose: nil for the one that changes the schema; others are named after theirs in `pg_stat_activity`.
  func connect(_ purpose: String?, _ interrupt: Interrupt) throws(PostgresError) -> Connection {
    let name = "crossfade \(command) \(slot)" + (purpose.map { " (\($0))" } ?? "")
    // What reads a whole table takes one core for a while; by parallel workers it would take those of the application, too.
    let connection = try Connection(
      string,
      options: .init(
        applicationName: name,
        settings: [
          ("search_path", "pg_catalog"), ("max_parallel_workers_per_gather", "0"),
          ("max_parallel_maintenance_workers", "\(indexWorkers)"),
        ]), interrupt: interrupt)
    guard connection.serverVersion.major >= 14 else { return connection }
    try connection.query(
      "SELECT set_config('idle_session_timeout', '0', false)",
      purpose: "let the session wait between two attempts")
    // So that a session whose client was killed notices even while it builds an index. Not every system can.
    _ = try? connection.query(
      "SELECT set_config('client_connection_check_interval', '2s', false)", purpose: "set up the session")
    return connection
  }

  /// Refuses what stands between us and the server when it is not the server: a pooler may give the next statement to another
  /// session, and advisory locks and `CREATE INDEX CONCURRENTLY` belong to one.
  static func refusePooler(_ connection: Connection) throws(MigrationError) {
    let served: Int64?
    do {
      served = try connection.query("SELECT pg_backend_pid()", purpose: "ask which process serves us")
        .integer(0, 0)
    } catch {
      throw .postgres(error)
    }
    guard served != Int64(connection.backendPID) else { return }
    throw .notReady(
      what:
        "a connection pooler stands between us and the server (it says process \(connection.backendPID), the "
        + "server says \(served ?? 0))",
      hint:
        "give source.connection the server's own host and port: schema changes need a session of their own")
  }
}
