import Postgres

/// Who holds one of our advisory locks.
struct LockHolder: Sendable, Hashable {
  var pid: Int64
  var application: String
  /// When its session began; nil where the role may not see it.
  var since: String?

  /// The holder of the lock of a slot.
  ///
  /// - Parameter kind: `crossfade` (the dual-write), `crossfade backfill`, `crossfade migration`.
  static func find(_ kind: String, _ slot: String, on connection: Connection) throws(PostgresError)
    -> LockHolder?
  {
    let rows = try connection.query(
      """
      SELECT l.pid, coalesce(a.application_name, ''),
             to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
        FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
         AND l.classid = (hashtext($1)::bigint & 4294967295)::oid
         AND l.objid = (hashtext($2)::bigint & 4294967295)::oid
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      """, [.text(kind), .text(slot)], purpose: "look for who holds the lock of slot \(slot)")
    guard let pid = rows.integer(0, 0) else { return nil }
    return LockHolder(pid: pid, application: rows[0, 1] ?? "", since: rows[0, 2])
  }
}

extension LockHolder: CustomStringConvertible {
  /// `crossfade expand states, server process 4711, since 2026-11-21 17:03:10 UTC`.
  var description: String {
    "\(application.isEmpty ? "no application_name" : application), server process \(pid)"
      + (since.map { ", since \($0)" } ?? "")
  }
}
