import Glibc
import Postgres
import Testing

@testable import LocalCluster

@Suite("Throw-away clusters", .timeLimit(.minutes(5))) struct ClusterTests {
  private var quick: ClusterConfiguration {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    return configuration
  }

  @Test("a cluster starts, answers, keeps its rows over every way of stopping, and leaves nothing behind")
  func life() throws {
    var path = ""
    do {
      let cluster = try Cluster.running(quick)
      path = cluster.path
      #expect(throws: ClusterError.self) { try cluster.start() }
      try cluster.connect().script("create table t (n int)", purpose: "create")
      for (n, mode) in StopMode.allCases.enumerated() {
        let before = cluster.pid
        try cluster.connect().query("insert into t values (\(n))", purpose: "insert")
        try cluster.restart(mode)
        #expect(cluster.pid != before)
      }
      try cluster.connect().query("insert into t values (99)", purpose: "insert")
      try cluster.kill9()
      #expect(!cluster.isRunning)
      try cluster.start()
      let rows = try cluster.connect().query(
        "select string_agg(n::text, ' ' order by n) from t", purpose: "read")
      #expect(rows[0] == "0 1 2 99")
      #expect(try cluster.stop() == .exited(0))
      #expect(cluster.pid == nil)
      #expect(throws: ClusterError.self) { try cluster.stop() }
    }
    #expect(access(path, F_OK) == -1)
  }

  @Test("dropping the last reference stops a running server and deletes its files")
  func dropped() throws {
    var cluster: Cluster? = try Cluster.running(quick)
    let pid = try #require(cluster?.pid)
    let path = try #require(cluster?.path)
    cluster = nil
    #expect(ProcessTree.hasEnded(pid))
    #expect(access(path, F_OK) == -1)
  }

  @Test("fsync is on and logical decoding possible unless asked otherwise")
  func defaults() throws {
    var configuration = ClusterConfiguration()
    configuration.settings = ["wal_sender_timeout": "1234ms", "application_name": "it's"]
    let cluster = try Cluster.running(configuration)
    let session = try cluster.connect()
    for (name, value) in [
      ("fsync", "on"), ("wal_level", "logical"), ("listen_addresses", ""), ("TimeZone", "UTC"),
      ("server_encoding", "UTF8"), ("wal_sender_timeout", "1234ms"),
    ] {
      #expect(try session.query("select current_setting($1)", [.text(name)], purpose: "read")[0] == value)
    }
    try cluster.configure(["wal_sender_timeout": "5s"])
    let took = try eventually(within: .seconds(10)) {
      try session.query("select current_setting('wal_sender_timeout')", purpose: "read")[0] == "5s"
    }
    #expect(took)
  }

  @Test("the server never runs as root, and only its owner reaches the socket")
  func owner() throws {
    let cluster = try Cluster.running(quick)
    var facts = stat()
    #expect(stat("/proc/\(try #require(cluster.pid))", &facts) == 0)
    #expect(facts.st_uid != 0)
    #expect(stat(cluster.path, &facts) == 0)
    #expect(facts.st_mode & 0o777 == 0o700)
    #expect(facts.st_uid != 0)
  }

  @Test("TCP listens on loopback and wants the password")
  func loopback() throws {
    var configuration = quick
    configuration.listensOnLoopback = true
    let cluster = try Cluster.running(configuration)
    let tcp = try cluster.connect(over: .loopback)
    #expect(try tcp.query("select host(inet_server_addr())", purpose: "read")[0] == "127.0.0.1")
    #expect(throws: PostgresError.self) {
      _ = try Connection(
        "host=127.0.0.1 port=\(cluster.port) user=postgres password=wrong dbname=postgres",
        options: .init(applicationName: "cluster test"))
    }
    try cluster.restart(.immediate)
    #expect(throws: Never.self) { try cluster.connect(over: .loopback) }
  }

  @Test("a base directory too long for a socket is refused before anything is made")
  func pathLength() throws {
    var configuration = quick
    // 107 bytes with the socket's name are allowed; "/crossfade-XXXXXX/.s.PGSQL.65535" is 32 of them.
    configuration.baseDirectory = "/" + String(repeating: "x", count: 107 - 32)
    #expect {
      try Cluster(configuration)
    } throws: { error in
      "\(error)".hasPrefix("a unix socket path may have 107 bytes, /xxx") && "\(error)".contains("has 108:")
    }
    configuration.baseDirectory = "/" + String(repeating: "x", count: 106 - 32)
    #expect {
      try Cluster(configuration)
    } throws: { error in
      "\(error)".hasPrefix("mkdtemp /xxx")
    }
  }
}
