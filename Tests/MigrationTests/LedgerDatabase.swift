import ChangeLog
import Derivation
import DualWrite
import LocalCluster
import Logging
import PGOutput
import Postgres

@testable import Migration

/// A ledger of its own for one test, in a cluster that the suites share, with a definition that lists two states.
struct LedgerDatabase {
  let cluster: Cluster
  let name: String
  var definition: SlotDefinition

  private static let shared = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    return try Cluster.running(configuration)
  }

  static let states = [
    State(id: "1", code: "authorized", status: "AUTH"), State(id: "2", code: "captured", status: "CAPTURED"),
  ]

  /// - Parameter table: the columns of `public.transactions` beside its `status`.
  /// - Parameter isPartitioned: by ranges of id, two partitions below the table and one more below the second.
  init(
    _ name: String, table: String = "id bigint PRIMARY KEY", key: [String] = ["id"],
    isPartitioned: Bool = false
  ) throws {
    cluster = try Self.shared.get()
    self.name = name
    try cluster.createDatabase(name)
    definition = SlotDefinition(
      slot: "s_\(name)", publication: try Identifier(name),
      source: ConnectionString(cluster.conninfo(database: name)),
      derive: .init(
        table: try QualifiedName(sql: "public.transactions"), key: try key.map { try Identifier($0) },
        from: try Identifier("status"), to: try Identifier("state_id"),
        map: .init(
          table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
          code: try Identifier("code"), status: try Identifier("legacy_status"), states: Self.states)),
      log: .init(directory: "/nowhere"))
    try run(
      "CREATE TABLE public.transactions (\(table), status text)"
        + (isPartitioned ? " PARTITION BY RANGE (id)" : ""))
    if isPartitioned {
      try run(
        """
        CREATE TABLE public.low PARTITION OF public.transactions FOR VALUES FROM (0) TO (1000);
        CREATE TABLE public.high PARTITION OF public.transactions FOR VALUES FROM (1000) TO (1000000)
          PARTITION BY RANGE (id);
        CREATE TABLE public.highest PARTITION OF public.high FOR VALUES FROM (1000) TO (1000000);
        """)
    }
  }

  func connect(_ application: String = "migration test") throws -> Connection {
    try Connection(
      cluster.conninfo(database: name),
      options: .init(applicationName: application, settings: [("search_path", "pg_catalog")]))
  }

  func run(_ sql: String) throws { try connect().script(sql, purpose: "prepare the test") }

  /// The first column of every row.
  func column(_ sql: String) throws -> [String] {
    let rows = try connect().query(sql, purpose: "ask")
    return (0..<rows.rowCount).map { rows[$0, 0] ?? "NULL" }
  }

  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// What an expansion did now, step by step.
  @discardableResult
  func expand(
    _ interrupt: Interrupt, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) throws(MigrationError) -> [String] {
    try Expand(definition: definition, interrupt: interrupt, logger: Self.logger).run(report: report)
      .filter { $0.ending == .done }.map(\.step.title)
  }

  /// Everything a backfill needs: expanded, and a checkpoint as capture would have left it.
  func ready(_ interrupt: Interrupt) throws {
    _ = try expand(interrupt)
    let start = LSN(rawValue: 16)
    try run(
      """
      INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
      VALUES ('\(definition.slot)', '\(start)', 1, 1, 1, '\(start)')
      """)
  }

  func backfill(
    _ interrupt: Interrupt, report: (BackfillProgress) -> Void = { _ in }
  ) throws(MigrationError) -> BackfillProgress {
    try Backfill(definition: definition, interrupt: interrupt, logger: Self.logger).run(report: report)
  }
}
