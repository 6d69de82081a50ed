import Derivation
import DualWrite
import Migration
import PGOutput
import Postgres

/// What the servers tell about the migration at one moment.
struct DemoMonitor {
  /// Up to which commit the new column is written; nil before capture has begun.
  var applied: LSN?
  var transactions: Int64 = 0
  var changes: Int64 = 0
  var batches: Int64 = 0
  /// Where the write-ahead log stands.
  var current = LSN.invalid
  /// What the slot has confirmed.
  var confirmed = LSN.invalid
  /// The server process that serves the slot; nil while nobody reads it.
  var reader: Int64?
  /// Write-ahead log that the slot keeps from being removed.
  var retained_bytes: Int64 = 0
  var quarantined: Int64 = 0

  init(slot: String, on connection: Connection) throws(PostgresError) {
    guard try ControlSchema.exists(on: connection) else { return }
    let rows = try connection.query(
      """
      SELECT c.end_lsn, c.transactions, c.changes, c.batches, pg_current_wal_lsn(), s.confirmed_flush_lsn,
             s.active_pid, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint,
             (SELECT count(*) FROM crossfade.quarantine AS q WHERE q.slot = $1)
        FROM (VALUES ($1)) AS named (slot)
        LEFT JOIN crossfade.checkpoint AS c ON c.slot = named.slot
        LEFT JOIN pg_replication_slots AS s ON s.slot_name = named.slot
      """, [.text(slot)], purpose: "look how far the migration is")
    applied = rows[0, 0].flatMap { LSN($0) }
    transactions = rows.integer(0, 1) ?? 0
    changes = rows.integer(0, 2) ?? 0
    batches = rows.integer(0, 3) ?? 0
    current = rows[0, 4].flatMap { LSN($0) } ?? .invalid
    confirmed = rows[0, 5].flatMap { LSN($0) } ?? .invalid
    reader = rows.integer(0, 6)
    retained_bytes = rows.integer(0, 7) ?? 0
    quarantined = rows.integer(0, 8) ?? 0
  }

  /// How far what is written stands behind the write-ahead log, in bytes.
  var lag_bytes: UInt64 { current.bytes(since: applied ?? .invalid) }
}
