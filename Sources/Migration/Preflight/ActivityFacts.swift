import Postgres

/// Transactions that have been open for long: a new slot waits for them, WAL is held for them, and each DDL statement
/// queues behind them.
struct ActivityFacts: Equatable, Sendable {
  var open: [Open]
  /// Whether other roles' sessions are shown to us.
  var seesAll: Bool

  struct Open: Equatable, Sendable {
    /// `pid 4711 (billing, idle in transaction)`, or a prepared transaction's name.
    var who: String
    var seconds: Int64
  }

  static let long_s = 300

  var finding: Finding {
    let subject = "long transactions"
    guard open.isEmpty else {
      return .warn(
        subject,
        "open for more than \(Self.long_s / 60) minutes: "
          + open.map { "\($0.who) for \($0.seconds) s" }.joined(separator: ", ")
          + "; a slot cannot be made before they end, and WAL is held back for them",
        fix: "end them, or wait: SELECT pid, xact_start, state FROM pg_stat_activity ORDER BY xact_start;")
    }
    return seesAll
      ? .pass(subject, "none is open for more than \(Self.long_s / 60) minutes")
      : .warn(
        subject, "none among our own sessions; those of other roles are not shown to us",
        fix: "GRANT pg_read_all_stats TO ...;  -- the role of source.connection")
  }
}

extension ActivityFacts {
  static func ask(_ connection: Connection) throws(PostgresError) -> ActivityFacts {
    let rows = try connection.query(
      """
      SELECT * FROM (
        SELECT format('pid %s (%s, %s)', pid, coalesce(nullif(application_name, ''), 'no application_name'), state),
               extract(epoch FROM clock_timestamp() - xact_start)::bigint AS age
          FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
        UNION ALL
        SELECT format('prepared transaction %s', gid), extract(epoch FROM clock_timestamp() - prepared)::bigint
          FROM pg_prepared_xacts) AS t
       WHERE age > \(Self.long_s) ORDER BY age DESC LIMIT 5
      """, purpose: "look for long transactions")
    let sees = try connection.query(
      "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')", purpose: "look up what we may see")
    return ActivityFacts(
      open: (0..<rows.rowCount).map { Open(who: rows[$0, 0] ?? "", seconds: rows.integer($0, 1) ?? 0) },
      seesAll: sees.boolean(0, 0))
  }
}
