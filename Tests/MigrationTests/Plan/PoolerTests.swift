import Foundation
import LocalCluster
import Postgres
import Testing

@testable import Migration

@Suite("Behind a real PgBouncer", .serialized, .timeLimit(.minutes(2))) struct PoolerTests {
  private static let program: String? = {
    let given = ProcessInfo.processInfo.environment["CROSSFADE_PGBOUNCER"]
    return ([given].compactMap { $0 } + ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"]).first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  /// What is found through a PgBouncer with these settings.
  private func find(_ settings: String, _ name: String) throws -> PoolerFacts {
    let ledger = try LedgerDatabase(name)
    let directory = NSTemporaryDirectory() + "\(name)-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    // PgBouncer, which may run as another user, puts its socket there.
    chmod(directory, 0o777)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let text = """
      [databases]
      * = host=\(ledger.cluster.path) port=\(ledger.cluster.port) user=postgres
      [pgbouncer]
      unix_socket_dir = \(directory)
      listen_port = 6432
      auth_type = any
      \(settings)
      """
    try text.write(toFile: directory + "/ini", atomically: true, encoding: .utf8)
    // It refuses to be root; the cluster's files are postgres's where we are.
    let who = getuid() == 0 ? ["-u", "postgres"] : []
    let bouncer = try ChildProcess(
      [try #require(Self.program)] + who + ["-q", directory + "/ini"], output: .discard, errors: .discard)
    defer { bouncer.stop() }
    func connect() throws(PostgresError) -> Connection {
      try Connection(
        "host=\(directory) port=6432 user=postgres dbname=\(name)",
        options: .init(applicationName: "pooler test", settings: [("lock_timeout", "1000")]))
    }
    var connection: Connection?
    #expect(
      eventually(within: .seconds(10)) {
        connection = try? connect()
        return connection != nil
      })
    return try PoolerFacts.ask(try #require(connection), setting: ("lock_timeout", "1s")) {
      () throws(PostgresError) in try connect()
    }
  }

  @Test(
    "transactions are pooled: told, with several server sessions and with one",
    .enabled(if: program != nil, "there is no pgbouncer (apt-get install pgbouncer, or CROSSFADE_PGBOUNCER)"),
    arguments: [8, 1])
  func transactions(_ size: Int) throws {
    let facts = try find(
      """
      pool_mode = transaction
      default_pool_size = \(size)
      ignore_startup_parameters = options
      """, "pooler_transaction_\(size)")
    #expect(facts.sharesProcess)
    #expect(facts.finding.found.hasPrefix("a pooler gives our session's server process to others"))
  }

  @Test(
    "sessions are pooled, and their settings dropped: told",
    .enabled(if: program != nil, "there is no pgbouncer (apt-get install pgbouncer, or CROSSFADE_PGBOUNCER)"))
  func sessions() throws {
    let facts = try find("pool_mode = session\nignore_startup_parameters = options", "pooler_session")
    #expect(facts.isPooled)
    #expect(!facts.sharesProcess)
    #expect(!facts.keepsSettings)
    #expect(facts.finding.level == .fail)
  }
}
