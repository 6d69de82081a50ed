import LocalCluster
import Postgres

/// A second cluster with the same table, fed by PostgreSQL's own subscription.
struct Subscriber {
  let bench: BenchCluster

  init(rows: Int, settings: [String: String] = [:]) throws {
    bench = try BenchCluster(rows: rows, settings: settings)
  }

  /// Makes a subscription on an existing slot, not yet enabled.
  func subscribe(to publisher: BenchCluster, slot: String) throws {
    try bench.script(
      """
      CREATE SUBSCRIPTION theirs CONNECTION '\(publisher.cluster.conninfo(over: .loopback))' PUBLICATION bench
        WITH (create_slot = false, slot_name = '\(slot)', copy_data = false, enabled = false)
      """)
  }

  func enable() throws { try bench.script("ALTER SUBSCRIPTION theirs ENABLE") }

  /// Ends the subscription; the slot stays.
  func unsubscribe() throws {
    try bench.script("ALTER SUBSCRIPTION theirs DISABLE")
    try bench.script("ALTER SUBSCRIPTION theirs SET (slot_name = NONE)")
    try bench.script("DROP SUBSCRIPTION theirs")
  }

  /// The table as it was at the start.
  func reload(_ rows: Int) throws {
    try bench.script("TRUNCATE public.transactions")
    try bench.script(BenchCluster.load(rows))
    try bench.script("VACUUM (ANALYZE) public.transactions")
    try bench.script("CHECKPOINT")
  }
}
