import Derivation
import LocalCluster
import Postgres

@testable import DualWrite

/// A database of its own for one test, in a cluster that the suites share: a ledger's table, the map, the control schema.
struct TargetDatabase {
  let cluster: Cluster
  let name: String
  let derive: SlotDefinition.Derive

  private static let shared = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    return try Cluster.running(configuration)
  }

  init(_ name: String, rows: Int = 0) throws {
    cluster = try Self.shared.get()
    self.name = name
    derive = try .example()
    try cluster.createDatabase(name)
    let session = try connect()
    try session.script(
      """
      CREATE TABLE public.transactions (id bigint PRIMARY KEY, status text, state_id bigint);
      CREATE TABLE public.transaction_state (id bigint PRIMARY KEY, code text NOT NULL, legacy_status text UNIQUE);
      INSERT INTO public.transaction_state VALUES (1, 'authorized', 'AUTH'), (2, 'captured', 'CAPTURED');
      INSERT INTO public.transactions
      SELECT n, CASE WHEN n % 2 = 0 THEN 'AUTH' ELSE 'CAPTURED' END FROM generate_series(1, \(rows)) AS n;
      """, purpose: "make the tables")
    try ControlSchema.ensure(on: session)
  }

  /// A session with the settings of the dual-write.
  func connect(settings: [(name: String, value: String)] = DerivationSQL.planSettings) throws -> Connection {
    try Connection(
      cluster.conninfo(database: name), options: .init(applicationName: "dual-write test", settings: settings)
    )
  }
}

extension Connection {
  /// The first column of every row.
  func column(_ sql: String, _ parameters: [Parameter] = []) throws -> [String] {
    let rows = try query(sql, parameters, purpose: "ask")
    return (0..<rows.rowCount).map { rows[$0, 0] ?? "NULL" }
  }
}
