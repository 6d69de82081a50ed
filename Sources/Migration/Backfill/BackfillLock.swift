import Postgres

/// One backfill a slot: an advisory lock of the session, gone with it. Asked for, never waited for.
struct BackfillLock {
  let slot: String

  /// Who holds the lock.
  struct Holder: Equatable {
    var pid: Int64
    var application: String
    var since: String

    /// `server process 4711 (crossfade backfill s, since 2026-11-21 12:00:00+00)`.
    var text: String {
      "server process \(pid)" + (application.isEmpty ? "" : " (\(application), since \(since))")
    }
  }

  /// Takes it; false when somebody else has it.
  func take(on connection: Connection) throws(PostgresError) -> Bool {
    try connection.query(
      "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade backfill'), hashtext($1))", [.text(slot)],
      purpose: "take the backfill's lock"
    ).boolean(0, 0)
  }

  /// Who has it; nil when nobody has.
  func holder(on connection: Connection) throws(PostgresError) -> Holder? {
    let rows = try connection.query(
      """
      SELECT l.pid, a.application_name, date_trunc('second', a.backend_start) FROM pg_catalog.pg_locks AS l
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
         AND l.classid = (hashtext('crossfade backfill')::bigint & 4294967295)::oid
         AND l.objid = (hashtext($1)::bigint & 4294967295)::oid
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      """, [.text(slot)], purpose: "look for who holds the backfill's lock")
    guard let pid = rows.integer(0, 0) else { return nil }
    return Holder(pid: pid, application: rows[0, 1] ?? "", since: rows[0, 2] ?? "")
  }
}
