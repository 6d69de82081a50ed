import Postgres
import Testing

@testable import LocalCluster

@Suite("Standbys", .timeLimit(.minutes(5))) struct StandbyTests {
  @Test(
    "a standby has its primary's rows, takes none itself, and takes them once promoted, on its own timeline")
  func life() throws {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    let primary = try Cluster.running(configuration)
    try primary.connect().script("create table t (n int); insert into t values (1)", purpose: "create")
    let standby = try Cluster.standby(of: primary)
    try primary.connect().query("insert into t values (2)", purpose: "insert")
    #expect(try standby.hasReplayed(primary))
    let count = { try standby.connect().query("select count(*) from t", purpose: "count")[0] }
    #expect(try count() == "2")
    #expect(throws: PostgresError.self) {
      try standby.connect().query("insert into t values (3)", purpose: "insert")
    }
    #expect(throws: ClusterError.self) { try primary.promote() }

    let either = Cluster.conninfo(primaryAmong: [standby, primary], database: "postgres")
    let port = { () throws -> String? in
      try Connection(either, options: .init(applicationName: "standby test")).query(
        "show unix_socket_directories", purpose: "ask")[0]
    }
    #expect(try port() == primary.path)
    try primary.kill9()
    try standby.promote()
    #expect(try port() == standby.path)
    try standby.connect().query("insert into t values (3)", purpose: "insert")
    #expect(try count() == "3")
    let system = try Connection(
      standby.conninfo(), options: .init(applicationName: "standby test", replication: true)
    ).identifySystem()
    #expect(system.timeline == 2)
  }
}
