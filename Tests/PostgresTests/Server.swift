import LocalCluster
import Postgres

/// A server the suites share, reached through its unix socket and through TCP on loopback.
enum Server {
  private static let shared = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    configuration.listensOnLoopback = true
    return try Cluster.running(configuration)
  }

  static var cluster: Cluster { get throws { try shared.get() } }

  static func connect(
    settings: [(name: String, value: String)] = [], replication: Bool = false, interrupt: Interrupt? = nil
  ) throws -> Connection {
    try Connection(
      cluster.conninfo(),
      options: .init(applicationName: "postgres test", replication: replication, settings: settings),
      interrupt: interrupt)
  }

  /// The error that `body` throws.
  static func error(_ body: () throws -> Void) -> PostgresError? {
    do {
      try body()
      return nil
    } catch {
      return error as? PostgresError
    }
  }
}

extension Connection {
  /// The first column of every row.
  func column(_ sql: String, _ parameters: [Parameter] = []) throws -> [String] {
    let rows = try query(sql, parameters, purpose: "ask")
    return (0..<rows.rowCount).map { rows[$0, 0] ?? "NULL" }
  }
}
