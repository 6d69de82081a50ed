import Postgres

/// One pass a slot: an advisory lock of the session, gone with it. Asked for, never waited for.
struct VerifyLock {
  let slot: String

  /// Takes it; gives who has it when somebody else does, in words.
  func take(on connection: Connection) throws(PostgresError) -> String? {
    let taken = try connection.query(
      "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade verify'), hashtext($1))", [.text(slot)],
      purpose: "take the verification's lock")
    if taken.boolean(0, 0) { return nil }
    let holder = try connection.query(
      """
      SELECT l.pid, coalesce(nullif(a.application_name, ''), 'no application_name'),
             to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
         AND l.classid = (hashtext('crossfade verify')::bigint & 4294967295)::oid
         AND l.objid = (hashtext($1)::bigint & 4294967295)::oid
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      """, [.text(slot)], purpose: "look for who holds the verification's lock")
    guard holder.rowCount > 0, let pid = holder[0, 0] else { return "a session that has just ended" }
    return "server process \(pid) (\(holder[0, 1] ?? "unknown"))"
      + (holder[0, 2].map { " since \($0)" } ?? "")
  }
}
