import Postgres

/// Looks for who holds a lock that a step needs, on its tables and their partitions.
struct Blockers {
  let connection: Connection
  /// Whether to ask for their queries too.
  let withQueries: Bool

  /// The holders, the longest transaction first.
  ///
  /// - Parameter olderThan: leaves out transactions younger than this many milliseconds, and those of unknown age: they may
  ///   well be gone before our patience is.
  func find(_ locks: [Step.Lock], olderThan: Int? = nil) throws(PostgresError) -> [Blocker] {
    var found: [Blocker] = []
    for lock in locks {
      for blocker in try find(lock, olderThan: olderThan)
      where !found.contains(where: { $0.pid == blocker.pid && $0.application == blocker.application }) {
        found.append(blocker)
      }
    }
    return Array(found.sorted { ($0.transactionSeconds ?? -1) > ($1.transactionSeconds ?? -1) }.prefix(10))
  }

  private func find(_ lock: Step.Lock, olderThan: Int?) throws(PostgresError) -> [Blocker] {
    let modes = lock.mode.conflicts.map { SQLText.literal($0.catalogName) }.sorted().joined(separator: ", ")
    // A prepared transaction holds its locks without a process (`pg_locks.pid` is null): it is found by the lock on its own
    // number, which has the same virtual transaction.
    let rows = try connection.query(
      """
      SELECT l.pid, coalesce(a.application_name, 'prepared transaction ' || p.gid, ''),
             coalesce(a.usename::text, p.owner::text, ''),
             coalesce(a.state, CASE WHEN l.pid IS NULL THEN 'prepared' ELSE '' END),
             extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::bigint, max(l.mode),
             \(withQueries ? "left(a.query, 1000)" : "NULL"),
             coalesce(a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%to prevent wraparound%', false)
        FROM pg_catalog.pg_locks l
        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        LEFT JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
             AND x.virtualtransaction = l.virtualtransaction
        LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
       WHERE l.locktype = 'relation' AND l.granted AND l.mode IN (\(modes))
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
         AND l.relation IN (SELECT to_regclass($1)::oid
             UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(to_regclass($1)))
         AND l.pid IS DISTINCT FROM pg_backend_pid()
         AND a.backend_type IS DISTINCT FROM 'walsender'
         AND ($2::bigint IS NULL
              OR clock_timestamp() - coalesce(a.xact_start, p.prepared) > $2::bigint * interval '1 millisecond')
       GROUP BY l.pid, 2, 3, 4, 5, 7, 8
       ORDER BY 5 DESC NULLS LAST LIMIT 10
      """, [.text(lock.table), olderThan.map { .integer($0) } ?? .null],
      purpose: "look for who holds the lock")
    return (0..<rows.rowCount).map { row in
      Blocker(
        pid: rows.integer(row, 0), application: rows[row, 1] ?? "", user: rows[row, 2] ?? "",
        state: rows[row, 3] ?? "", transactionSeconds: rows.integer(row, 4), mode: rows[row, 5] ?? "",
        query: rows[row, 6], yields: rows.boolean(row, 7))
    }
  }
}
