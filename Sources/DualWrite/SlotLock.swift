import Postgres

/// One applier a slot: an advisory lock of the session, gone with it.
///
/// Asked for, never waited for: `pg_advisory_lock` would hold a snapshot while it waits.
struct SlotLock {
  let slot: String

  /// Takes the lock; gives the server process that holds it when somebody else does.
  func take(on connection: Connection) throws(PostgresError) -> Int64? {
    let taken = try connection.query(
      "SELECT pg_catalog.pg_try_advisory_lock(hashtext('crossfade'), hashtext($1))", [.text(slot)],
      purpose: "take the lock of slot \(slot)")
    if taken.boolean(0, 0) { return nil }
    let holder = try connection.query(
      """
      SELECT pid FROM pg_catalog.pg_locks
       WHERE locktype = 'advisory' AND granted AND objsubid = 2
         AND classid = (hashtext('crossfade')::bigint & 4294967295)::oid
         AND objid = (hashtext($1)::bigint & 4294967295)::oid
         AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      """, [.text(slot)], purpose: "look for who holds the lock of slot \(slot)")
    return holder.integer(0, 0) ?? 0
  }
}
