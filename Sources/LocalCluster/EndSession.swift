public import Postgres

extension Connection {
  /// Ends another session of the server and waits until it is gone: `pg_terminate_backend(pid, timeout)`, which 13 does
  /// not have yet. False when there is no such session, or when it outlives the limit.
  public func endSession(_ pid: Int32, within limit: Duration = .seconds(20)) throws(PostgresError) -> Bool {
    let ended = try query(
      "SELECT pg_catalog.pg_terminate_backend($1::integer)", [.integer(pid)], purpose: "end a session")
    guard ended.boolean(0, 0) else { return false }
    return try eventually(within: limit) { () throws(PostgresError) in
      try query(
        "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1::integer)",
        [.integer(pid)], purpose: "wait for a session to end"
      ).boolean(0, 0)
    }
  }
}
