package import Postgres

/// How long a session of ours waits for locks.
package enum LockWait {
  /// While it prepares: nothing is written, nobody waits behind it, so what it reads of the catalog may wait for somebody's
  /// DDL. Milliseconds.
  package static func connecting(_ working: Int) -> Int { max(working, 2_000) }

  /// All is prepared: from now on it waits as briefly as `write.lock_timeout` says.
  package static func work(_ milliseconds: Int, on connection: Connection) throws(PostgresError) {
    try connection.query(
      "SELECT pg_catalog.set_config('lock_timeout', $1, false)", [.text("\(milliseconds)")],
      purpose: "wait briefly for locks")
  }
}
