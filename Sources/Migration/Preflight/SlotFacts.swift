import Capture
import ChangeLog
import PGOutput
import Postgres

/// The slot, the log and the checkpoint: whether a stream may go on where they stand.
struct SlotFacts: Equatable, Sendable {
  var name: String
  var slot: ReplicationSlot?
  /// `application_name` of who reads it, where the server tells us.
  var reader: String?
  /// The server's WAL now.
  var current: LSN
  var system: SystemIdentity
  var databaseOID: UInt32
  var log: LogSummary?
  var checkpoint: LSN?
  /// How the server's timeline came about; nil when it is the first, the log's own, or when we may not ask.
  var history: TimelineHistory?
  var canSynchronizeSlots = false

  /// Whether capture has begun before: then a missing publication means missed changes.
  var hasBegun: Bool { log != nil || checkpoint != nil }

  var findings: [Finding] {
    guard let slot else { return [absent] + (hasBegun ? [position] : []) }
    return [state(slot), retained(slot), position]
  }

  private var absent: Finding {
    hasBegun
      ? .fail(
        "slot", "\(name) does not exist, though capture has begun before",
        fix: "crossfade reset SLOT --accept-gap  -- shows the gap first when run without the flag")
      : .pass("slot", "\(name) does not exist yet; `crossfade run` makes it")
  }

  private func state(_ slot: ReplicationSlot) -> Finding {
    guard let pid = slot.activePID else { return .pass("slot", "\(name) is there, nobody reads it") }
    let known = reader.map { "\($0), server process \(pid)" } ?? "server process \(pid)"
    guard let reader, !reader.hasPrefix("crossfade") else {
      return .pass("slot", "\(name) is read by \(known)")
    }
    return .warn(
      "slot", "\(name) is read by \(known): `crossfade run` would wait for it, and refuse in the end",
      fix: "stop that process, or name another slot")
  }

  private func retained(_ slot: ReplicationSlot) -> Finding {
    let subject = "slot's WAL"
    let held = slot.restartLSN.map { current.bytes(since: $0) } ?? 0
    let behind = slot.confirmedFlushLSN.map { current.bytes(since: $0) } ?? 0
    var found = "\(Sizes.text(held)) retained, confirmed \(Sizes.text(behind)) behind the server"
    if let safe = slot.safeWALSize {
      found += ", \(Sizes.text(UInt64(clamping: safe))) left of max_slot_wal_keep_size"
    }
    switch slot.walStatus {
    case "unreserved":
      return .warn(
        subject, "\(found): the next checkpoint of the server may remove what the slot needs",
        fix: "let `crossfade run` catch up now, or raise max_slot_wal_keep_size and SELECT pg_reload_conf();")
    // A lost slot is told by the position's finding.
    default: return .pass(subject, found)
    }
  }

  private var position: Finding {
    let subject = "position"
    let held = log.map { OriginGuard.Held(origin: $0.origin, end: $0.end, watermark: $0.watermark) }
    do {
      _ = try OriginGuard(
        slotName: name, system: system, databaseOID: databaseOID, slot: slot, held: held,
        checkpoint: checkpoint, history: history, canSynchronizeSlots: canSynchronizeSlots
      ).decide()
    } catch {
      return .fail(subject, error.description, fix: error.hint)
    }
    guard let log else {
      return .pass(
        subject, checkpoint.map { "no change log; the checkpoint stands at \($0)" } ?? "nothing captured yet")
    }
    return .pass(
      subject,
      "the log holds everything up to \(log.watermark), the slot is confirmed up to "
        + "\(slot?.confirmedFlushLSN.map { "\($0)" } ?? "nothing")")
  }
}

extension SlotFacts {
  static func ask(
    _ name: String, log: LogSummary?, checkpoint: LSN?, _ connection: Connection,
    history: (UInt32) throws(PostgresError) -> TimelineHistory?
  ) throws(PostgresError) -> SlotFacts {
    let purpose = "look up where the server stands"
    let rows = try connection.query(
      """
      SELECT d.oid, (pg_control_system()).system_identifier,
             CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
             CASE WHEN pg_is_in_recovery() THEN (pg_control_checkpoint()).timeline_id
                  ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END
        FROM pg_database d WHERE d.datname = current_database()
      """, purpose: purpose)
    guard let oid = rows.integer(0, 0).flatMap({ UInt32(exactly: $0) }), let identifier = rows.integer(0, 1),
      let current = rows[0, 2].flatMap({ LSN($0) }),
      let timeline = rows.integer(0, 3).flatMap({ UInt32(exactly: $0) })
    else { throw .unexpected(purpose: purpose, what: "no system identifier, timeline and position") }
    let slot = try ReplicationSlot.find(name, on: connection)
    var reader: String?
    if let pid = slot?.activePID {
      reader = try connection.query(
        "SELECT application_name FROM pg_stat_replication WHERE pid = $1::integer", [.integer(pid)],
        purpose: "look up who reads the slot")[0, 0]
    }
    return SlotFacts(
      name: name, slot: slot, reader: reader, current: current,
      // The server keeps the identifier unsigned and shows it signed (`pg_controldata.c`).
      system: SystemIdentity(
        systemIdentifier: UInt64(bitPattern: identifier), timeline: timeline, flushedLSN: current,
        database: connection.database),
      databaseOID: oid, log: log, checkpoint: checkpoint,
      // Only a replication session can ask, so nobody else is bothered with one.
      history: log.map { $0.origin.timeline < timeline } == true ? try history(timeline) : nil,
      canSynchronizeSlots: connection.serverVersion.major >= 17)
  }
}
