public import PGOutput

/// A row of `pg_replication_slots`, with what is needed to judge it.
public struct ReplicationSlot: Sendable, Equatable {
  /// The slot's name.
  public var name: String
  /// The output plugin; nil for a physical slot.
  public var plugin: String?
  /// The database it belongs to.
  public var database: String?
  /// The process that reads it now.
  public var activePID: Int32?
  /// The oldest WAL it holds back.
  public var restartLSN: LSN?
  /// What the consumer has confirmed.
  public var confirmedFlushLSN: LSN?
  /// `reserved`, `extended`, `unreserved` or `lost`.
  public var walStatus: String?
  /// Bytes that may still be written before the slot is in danger; nil without `max_slot_wal_keep_size`.
  public var safeWALSize: Int64?
  /// Why the server gave the slot up (16 and later).
  public var invalidationReason: String?
  /// Whether it decodes transactions when they are prepared (14 and later); once so, always so.
  public var twoPhase = false
  /// Whether standbys may synchronize it, so that it is there after a failover (17 and later).
  public var failover = false
  /// Whether it came to this server by synchronization from a primary (17 and later).
  public var synced = false

  /// Whether its WAL is gone for good.
  public var isLost: Bool { walStatus == "lost" || invalidationReason != nil }

  /// Looks a slot up by name.
  public static func find(_ name: String, on connection: Connection) throws(PostgresError) -> ReplicationSlot?
  {
    // invalidation_reason came with 17, conflicting with 16. There that is true of a slot whose WAL was removed as well,
    // but only a standby knows another reason.
    let reason: String
    switch connection.serverVersion.major {
    case 17...: reason = "invalidation_reason"
    case 16:
      reason = "CASE WHEN conflicting AND pg_catalog.pg_is_in_recovery() THEN 'conflict with recovery' END"
    default: reason = "NULL"
    }
    let major = connection.serverVersion.major
    let twoPhase = major >= 14 ? "two_phase" : "false"
    let synchronized = major >= 17 ? "failover, synced" : "false, false"
    let rows = try connection.query(
      """
      SELECT slot_name, plugin, database, active_pid, restart_lsn, confirmed_flush_lsn, wal_status, safe_wal_size,
             \(reason), \(twoPhase), \(synchronized)
        FROM pg_catalog.pg_replication_slots WHERE slot_name = $1
      """, [.text(name)], purpose: "look up replication slot \(name)")
    guard rows.rowCount == 1 else { return nil }
    return ReplicationSlot(
      name: name, plugin: rows[0, 1], database: rows[0, 2], activePID: rows.integer(0, 3).flatMap(Int32.init),
      restartLSN: rows[0, 4].flatMap(LSN.init), confirmedFlushLSN: rows[0, 5].flatMap(LSN.init),
      walStatus: rows[0, 6], safeWALSize: rows.integer(0, 7), invalidationReason: rows[0, 8],
      twoPhase: rows.boolean(0, 9), failover: rows.boolean(0, 10), synced: rows.boolean(0, 11))
  }
}
