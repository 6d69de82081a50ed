import Postgres

/// What is asked of the source before a stream starts.
struct Preflight {
  let plan: CapturePlan
  let connection: Connection

  /// The database's oid, once the server is found fit.
  func databaseOID() throws(CaptureError) -> UInt32 {
    let version = connection.serverVersion
    guard version.major >= ServerVersion.oldestSupported else {
      throw .refused(.serverTooOld(version: version.description))
    }
    let rows = try connection.asking(
      """
      SELECT d.oid, current_setting('wal_level'), r.rolreplication OR r.rolsuper, r.rolname, pg_is_in_recovery()
        FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
       WHERE d.datname = current_database() AND r.rolname = current_user
      """, [], "look up database and role")
    guard let oid = rows.integer(0, 0).flatMap({ UInt32(exactly: $0) }) else {
      throw .postgres(.unexpected(purpose: "look up database and role", what: "no oid"))
    }
    guard !rows.boolean(0, 4) else { throw .refused(.standby) }
    guard rows[0, 1] == "logical" else { throw .refused(.walLevel(found: rows[0, 1] ?? "unknown")) }
    guard rows.boolean(0, 2) else {
      let role = rows[0, 3] ?? "the role"
      throw .refused(
        .privilege(
          what: "role \(role) has not the REPLICATION attribute",
          grant: "ALTER ROLE \(SQLText.identifier(role)) REPLICATION;"))
    }
    return oid
  }

  /// The server's limit for a silent consumer in nanoseconds; nil when it has none.
  func walSenderTimeout() throws(CaptureError) -> UInt64? {
    let rows = try connection.asking(
      "SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", [],
      "look up wal_sender_timeout")
    guard let milliseconds = rows.integer(0, 0), milliseconds > 0 else { return nil }
    return UInt64(milliseconds) * 1_000_000
  }
}
