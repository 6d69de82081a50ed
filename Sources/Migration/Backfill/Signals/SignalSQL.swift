import Derivation
import Postgres

/// One question for all the signals that are on.
struct SignalSQL {
  let definition: SlotDefinition

  /// What the columns of the answer mean, after the WAL position and whether other sessions can be seen.
  var columns: [SlotDefinition.Signal] {
    SlotDefinition.Signal.allCases.filter {
      definition.backfill.signals.limits[$0] != nil && expression($0) != nil
    }
  }

  /// Whether the standbys are to be asked for.
  var asksStandbys: Bool {
    let limits = definition.backfill.signals.limits
    return limits[.replicaLag] != nil || limits[.replicaBytes] != nil
  }

  /// The time zones of the windows, each once.
  var zones: [String] { Set(definition.backfill.windows.map(\.zone)).sorted() }

  /// The question. Parameters: the slot, the table, then the zones.
  var text: String {
    var values = [
      "pg_catalog.pg_current_wal_lsn()", "pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')",
    ]
    values += columns.map { "(\(expression($0) ?? "NULL"))::double precision" }
    values += zones.indices.map { index in
      let local = "(clock_timestamp() AT TIME ZONE $\(index + 3)::text)"
      return """
        to_char(\(local), 'ID') || ' ' || (extract(hour FROM \(local)) * 60 + extract(minute FROM \(local)))::integer
        """
    }
    return """
      SELECT \(values.joined(separator: ",\n       "))
        FROM (SELECT $1::text AS slot, $2::regclass AS rel) AS given
      """
  }

  /// The standbys: name, position they have replayed, lag that the server measures, whether we may see it. Logical readers and
  /// backups replay nothing.
  static let standbys = """
    SELECT coalesce(nullif(r.application_name, ''), 'standby') || coalesce('@' || host(r.client_addr), ''), r.replay_lsn,
           extract(epoch FROM r.replay_lag) * 1000, r.state IS NOT NULL
      FROM pg_catalog.pg_stat_replication AS r
      LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.active_pid = r.pid
     WHERE s.slot_type IS DISTINCT FROM 'logical' AND (r.state IS NULL OR (r.state <> 'backup' AND r.replay_lsn IS NOT NULL))
    """

  /// What other sessions do, ours left out.
  private static let others = """
    FROM pg_catalog.pg_stat_activity AS a WHERE a.pid <> pg_catalog.pg_backend_pid()
      AND a.backend_type = 'client backend' AND a.application_name NOT LIKE 'crossfade %'
    """

  private static let tree = """
    (SELECT given.rel UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(given.rel) AS p)
    """

  /// Whether it looks at other sessions, which a role sees only if it was granted that.
  static func needsSight(_ signal: SlotDefinition.Signal) -> Bool {
    switch signal {
    case .vacuums, .activeSessions, .lockWaiters, .oldestTransaction: true
    default: false
    }
  }

  private func expression(_ signal: SlotDefinition.Signal) -> String? {
    switch signal {
    case .replicaLag, .replicaBytes, .walRate, .dualWriteLag: nil
    case .slotLag:
      """
      SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.confirmed_flush_lsn)
        FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = given.slot
      """
    case .slotRoom:
      """
      SELECT CASE WHEN s.wal_status = 'lost' THEN 0 ELSE 100.0 * s.safe_wal_size / (
               SELECT nullif(greatest(0, k.setting::bigint), 0) * 1048576.0
                 FROM pg_catalog.pg_settings AS k WHERE k.name = 'max_slot_wal_keep_size') END
        FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name = given.slot
      """
    case .otherSlots:
      """
      SELECT max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn))
        FROM pg_catalog.pg_replication_slots AS s WHERE s.slot_name <> given.slot
      """
    case .archiveQueue: Self.archiveQueue
    case .deadRows:
      """
      SELECT 100 * coalesce(sum(t.n_dead_tup) / nullif(sum(t.n_live_tup + t.n_dead_tup), 0), 0)
        FROM pg_catalog.pg_stat_all_tables AS t WHERE t.relid IN \(Self.tree)
      """
    case .vacuums:
      "SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.relid IN \(Self.tree)"
    case .activeSessions: "SELECT count(*) \(Self.others) AND a.state = 'active'"
    case .lockWaiters: "SELECT count(*) \(Self.others) AND a.wait_event_type = 'Lock'"
    case .oldestTransaction:
      """
      SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0) * 1000 \(Self.others)
      """
    }
  }

  /// Segments between the one that is written and the last that was archived, by the numbers in their names.
  private static let archiveQueue = """
    SELECT CASE WHEN current_setting('archive_mode') <> 'off' THEN
      greatest(0, n.now - n.done) END FROM (
        SELECT ('x' || substr(f.now, 9, 8))::bit(32)::bigint * f.each + ('x' || substr(f.now, 17, 8))::bit(32)::bigint - 1
                 AS now,
               ('x' || substr(f.done, 9, 8))::bit(32)::bigint * f.each + ('x' || substr(f.done, 17, 8))::bit(32)::bigint
                 AS done
          FROM (SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) AS now,
                       coalesce(substring(w.last_archived_wal FROM '^[0-9A-F]{24}'), repeat('0', 24)) AS done,
                       4294967296 / pg_catalog.pg_size_bytes(current_setting('wal_segment_size')) AS each
                  FROM pg_catalog.pg_stat_archiver AS w) AS f) AS n
    """

  /// Why a value is NULL.
  static func absence(_ signal: SlotDefinition.Signal) -> String {
    switch signal {
    case .slotLag: "the slot does not exist"
    case .slotRoom: "max_slot_wal_keep_size is unlimited, or there is no slot"
    case .otherSlots: "there is no other slot"
    case .archiveQueue: "archive_mode is off"
    default: "nothing to measure"
    }
  }
}
