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
    // On 13 each backfill has an origin of its own, and each keeps a place as long as the server runs.
    configuration.settings["max_replication_slots"] = "200"
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
    isPartitioned: Bool = false, on own: Cluster? = nil
  ) throws {
    cluster = try own ?? Self.shared.get()
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

  /// What `constrain` did now.
  @discardableResult
  func constrain(
    _ interrupt: Interrupt, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) throws(MigrationError) -> [StepOutcome] {
    try Constrain(definition: definition, interrupt: interrupt, logger: Self.logger).run(report: report)
  }

  /// What a rollback did, confirmed.
  @discardableResult
  func rollback(
    _ interrupt: Interrupt, report: @escaping @Sendable (StepNews) -> Void = { _ in }
  ) throws(MigrationError) -> [String] {
    try Rollback(definition: definition, interrupt: interrupt, logger: Self.logger)
      .run(confirm: { _ in true }, report: report).outcomes?.filter { $0.ending == .done }.map(\.step.id)
      ?? []
  }

  /// As a backfill that is done would have left it.
  func backfilled() throws {
    try run(
      """
      INSERT INTO crossfade.backfill (slot, expected, finished_at) VALUES ('\(definition.slot)', 0, now())
      ON CONFLICT (slot) DO UPDATE SET finished_at = now()
      """)
  }

  /// Without its account, what stands of the migration.
  func standing() throws -> [String] {
    try column(
      """
      SELECT 'map' WHERE to_regclass('public.transaction_state') IS NOT NULL
      UNION ALL SELECT 'column' FROM pg_attribute WHERE attrelid = 'public.transactions'::regclass
                       AND attname = 'state_id' AND NOT attisdropped
      UNION ALL SELECT 'index ' || indisvalid FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
                       AND a.attnum = i.indkey[0] AND a.attname = 'state_id' WHERE i.indrelid = 'public.transactions'::regclass
      UNION ALL SELECT 'key ' || convalidated FROM pg_constraint WHERE conrelid = 'public.transactions'::regclass
                       AND contype = 'f'
      UNION ALL SELECT 'trigger' FROM pg_trigger WHERE tgrelid = 'public.transactions'::regclass
                       AND tgname LIKE 'zz_crossfade%'
      """)
  }

  /// `step state` for each step in the account, by name.
  func account() throws -> [String] {
    try column(
      "SELECT step || ' ' || state FROM crossfade.step WHERE slot = '\(definition.slot)' ORDER BY step")
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
    var last: Int64 = -1
    return try Backfill(definition: definition, interrupt: interrupt, logger: Self.logger).run {
      // Once a page, as it is told more often while it waits.
      guard $0.progress.rows != last, !$0.isDone else { return }
      last = $0.progress.rows
      if last > 0 { report($0.progress) }
    }
  }
}
