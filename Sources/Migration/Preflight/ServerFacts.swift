import Postgres

/// What the server is and how it is set, as far as capture depends on it.
struct ServerFacts: Equatable, Sendable {
  var version: ServerVersion
  var walLevel: String
  var inRecovery: Bool
  var slots: Pool
  var senders: Pool
  /// `max_slot_wal_keep_size` in MiB; below zero there is no limit.
  var slotKeepMebibytes: Int64
  var synchronousCommit: String
  var walWriterDelay: String

  /// Places that a setting limits, and how many are taken.
  struct Pool: Equatable, Sendable {
    var limit: Int64
    var used: Int64
    var isFull: Bool { used >= limit }
  }

  static let newestTried = 18

  /// - Parameters:
  ///   - needsSlot: whether a slot is still to be made.
  ///   - needsSender: whether a walsender is still to be had (nobody reads the slot).
  func findings(needsSlot: Bool, needsSender: Bool) -> [Finding] {
    [
      versionFinding, walLevelFinding, recoveryFinding,
      Self.pool("max_replication_slots", slots, needed: needsSlot),
      Self.pool("max_wal_senders", senders, needed: needsSender), retentionFinding, commitFinding,
    ]
  }

  private var versionFinding: Finding {
    if version.major < ServerVersion.oldestSupported {
      return .fail(
        "server version", "PostgreSQL \(version) is older than what is supported",
        fix: "upgrade the server to 13 or later")
    }
    if version.major > Self.newestTried {
      return .warn(
        "server version", "PostgreSQL \(version) is newer than what was tried (13 to \(Self.newestTried))",
        fix: "try it on a copy first, or look for a newer crossfade")
    }
    return .pass("server version", "PostgreSQL \(version)")
  }

  private var walLevelFinding: Finding {
    walLevel == "logical"
      ? .pass("wal_level", "logical")
      : .fail(
        "wal_level", "\(walLevel); a logical slot needs logical",
        fix: "ALTER SYSTEM SET wal_level = logical;  -- then restart the server")
  }

  private var recoveryFinding: Finding {
    inRecovery
      ? .fail(
        "server role", "this server is a standby: nothing can be written to it",
        fix: "point source.connection at the primary (target_session_attrs=read-write finds it)")
      : .pass("server role", "it takes writes")
  }

  private static func pool(_ setting: String, _ pool: Pool, needed: Bool) -> Finding {
    let found = "\(pool.used) of \(pool.limit) in use"
    guard needed, pool.isFull else { return .pass(setting, found) }
    return .fail(
      setting, "\(found): none is free for this slot",
      fix: "ALTER SYSTEM SET \(setting) = \(pool.limit + 4);  -- then restart the server")
  }

  private var retentionFinding: Finding {
    guard slotKeepMebibytes < 0 else {
      return .pass("WAL retention", "a slot may hold back \(slotKeepMebibytes) MiB (max_slot_wal_keep_size)")
    }
    return .warn(
      "WAL retention",
      "max_slot_wal_keep_size is unlimited: while nothing reads the slot, the server's disk fills with WAL",
      fix: "ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf();  "
        + "-- what the disk can spare; past it the slot is lost, not the ledger")
  }

  private var commitFinding: Finding {
    guard synchronousCommit == "off" else { return .pass("synchronous_commit", synchronousCommit) }
    return .warn(
      "synchronous_commit",
      "off at the source: a change is sent once its WAL is flushed, up to three times wal_writer_delay "
        + "(\(walWriterDelay)) after its commit",
      fix:
        "ALTER SYSTEM SET wal_writer_delay = '10ms'; SELECT pg_reload_conf();  -- a shorter wait, a busier disk"
    )
  }
}

extension ServerFacts {
  static func ask(_ connection: Connection) throws(PostgresError) -> ServerFacts {
    let rows = try connection.query(
      """
      SELECT current_setting('wal_level'), pg_is_in_recovery(),
             current_setting('max_replication_slots'), (SELECT count(*) FROM pg_replication_slots),
             current_setting('max_wal_senders'), (SELECT count(*) FROM pg_stat_replication),
             (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
             current_setting('synchronous_commit'), current_setting('wal_writer_delay')
      """, purpose: "look up the server's settings")
    return ServerFacts(
      version: connection.serverVersion, walLevel: rows[0, 0] ?? "unknown", inRecovery: rows.boolean(0, 1),
      slots: Pool(limit: rows.integer(0, 2) ?? 0, used: rows.integer(0, 3) ?? 0),
      senders: Pool(limit: rows.integer(0, 4) ?? 0, used: rows.integer(0, 5) ?? 0),
      slotKeepMebibytes: rows.integer(0, 6) ?? -1, synchronousCommit: rows[0, 7] ?? "unknown",
      walWriterDelay: rows[0, 8] ?? "unknown")
  }
}
