import LocalCluster
import Postgres

/// A ledger of its own for one test, in a cluster that the suites share.
struct LedgerDatabase {
  let cluster: Cluster
  let name: String

  private static let shared = Result { try Cluster.running() }

  init(_ name: String, rows: Int, on cluster: Cluster? = nil) throws {
    self.cluster = try cluster ?? Self.shared.get()
    self.name = name
    try self.cluster.createDatabase(name)
    try LedgerLoader(rows: rows).createAndLoad(conninfo: conninfo)
  }

  var conninfo: String { cluster.conninfo(database: name) }

  func connect() throws -> Connection {
    try cluster.connect(database: name, applicationName: "ledger test")
  }
}
