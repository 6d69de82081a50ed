import Glibc
import LocalCluster
import PGOutput
import Postgres

/// A cluster with a ledger, fsync on, set up so that checkpoints do not fall into a measurement.
struct BenchCluster {
  let cluster: Cluster
  let connection: Connection
  let directory: String

  init(rows: Int, settings: [String: String] = [:]) throws {
    var configuration = ClusterConfiguration()
    configuration.listensOnLoopback = true
    configuration.settings = [
      "shared_buffers": "512MB", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "autovacuum": "off",
    ].merging(settings) { $1 }
    cluster = try Cluster.running(configuration)
    connection = try Connection(cluster.conninfo(), options: .init(applicationName: "crossfade-bench"))
    var template = Array("/tmp/crossfade-bench-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw BenchError("mkdtemp failed") }
    directory = String(cString: made)
    try script(Self.schema)
    if rows > 0 { try script(Self.load(rows)) }
    try script("VACUUM (ANALYZE) public.transactions")
    try script("CHECKPOINT")
  }

  static let schema = """
    CREATE TABLE public.transaction_state (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, legacy_status text UNIQUE);
    INSERT INTO public.transaction_state VALUES (1,'authorized','AUTH'),(2,'captured','CAPTURED'),(3,'settled','Settled'),
      (4,'declined','DECLINED'),(5,'reversed','reversed'),(6,'refunded','REFUNDED'),(7,'chargeback','CHARGE BACK'),
      (8,'expired','EXPIRED');
    CREATE TABLE public.transactions (
      id bigint PRIMARY KEY, card_token bigint, merchant_id integer, amount_cents bigint, currency char(3),
      status text, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), state_id bigint);
    CREATE PUBLICATION bench FOR TABLE public.transactions;
    """

  static func load(_ rows: Int) -> String {
    """
    INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
    SELECT g, g::bigint * 7919, g % 5000, g % 100000, 'EUR',
           (ARRAY['AUTH','CAPTURED','Settled','DECLINED','reversed','REFUNDED','CHARGE BACK','EXPIRED'])[1 + g % 8]
      FROM generate_series(1, \(rows)) AS g
    """
  }

  @discardableResult
  func script(_ sql: String) throws -> QueryResult {
    try connection.script(sql, purpose: "prepare the benchmark")
  }

  /// One-row inserts, `size` of them a transaction, `count` in all.
  func insertBacklog(count: Int, size: Int, from first: Int) throws {
    try script("SET synchronous_commit = off")
    if size >= count {
      try script(
        """
        INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
        SELECT g, g::bigint * 7919, g % 5000, g % 100000, 'EUR', 'AUTH' FROM generate_series(\(first), \(first + count - 1)) AS g
        """)
    } else {
      try script(
        """
        DO $$ BEGIN
          FOR i IN 0..\(count / size - 1) LOOP
            FOR j IN 0..\(size - 1) LOOP
              INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
              VALUES (\(first) + i * \(size) + j, i::bigint * 7919, i % 5000, i % 100000, 'EUR', 'AUTH');
            END LOOP;
            COMMIT;
          END LOOP;
        END $$
        """)
    }
    try script("SET synchronous_commit = on")
    // A commit that is flushed: everything before it can be sent.
    try script("SELECT pg_logical_emit_message(true, 'bench', 'end')")
  }

  func position() throws -> LSN {
    guard let lsn = try script("SELECT pg_current_wal_flush_lsn()")[0, 0].flatMap({ LSN($0) }) else {
      throw BenchError("no WAL position")
    }
    return lsn
  }

  func createSlot(_ name: String) throws {
    try script("SELECT pg_create_logical_replication_slot('\(name)', 'pgoutput')")
  }

  func copySlot(_ source: String, to name: String) throws {
    try script("SELECT pg_copy_logical_replication_slot('\(source)', '\(name)')")
  }

  func dropSlot(_ name: String) throws {
    for _ in 0..<200 {
      let active = try script("SELECT active FROM pg_replication_slots WHERE slot_name = '\(name)'")
      if active.rowCount == 0 { return }
      if !active.boolean(0, 0) { break }
      usleep(20_000)
    }
    try script("SELECT pg_drop_replication_slot('\(name)')")
  }

  func finish() {
    _ = try? MeasuredRun(["rm", "-rf", directory])
  }
}
