import ChangeLog
import PGOutput
import Postgres

extension Refusal: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .serverTooOld(let version):
      return "the server is PostgreSQL \(version); 13 and later are supported"
    case .walLevel(let found):
      return "wal_level is \(found); a logical slot needs wal_level = logical"
    case .otherSystem(let log, let server):
      return "the change log was written from system \(log), this server is system \(server)"
    case .otherDatabase(let log, let server):
      return "the change log was written from database oid \(log), this is database oid \(server)"
    case .timelineBehind(let log, let server):
      return
        "the change log was written on timeline \(log), this server is on timeline \(server): an older copy"
    case .standby:
      return "this server is a standby: its slots cannot be read before it is promoted"
    case .timelineForeign(let log, let server):
      return "the change log was written on timeline \(log), which is not in the history of this server's "
        + "timeline \(server): another branch of the same cluster"
    case .timelineDiverged(let log, let server, let left, let held):
      return
        "this server was promoted to timeline \(server) and left timeline \(log) at \(left), but the change log "
        + "holds everything up to \(held): what lies between was lost with the old primary"
    case .slotNotSynchronized(let slot, let timeline, let logEnd, _):
      return
        "this server was promoted to timeline \(timeline), and replication slot \(slot) was not on it: what was "
        + "committed after the change log's end at \(logEnd) may be lost"
    case .slotMissing(let slot, let logEnd):
      return "replication slot \(slot) does not exist, but the change log ends at \(logEnd): "
        + "what was committed since may be lost"
    case .slotMissingForCheckpoint(let slot, let checkpoint):
      return
        "replication slot \(slot) and the change log are both missing, but the target holds a checkpoint "
        + "at \(checkpoint): what was committed since may be lost"
    case .slotAhead(let slot, let confirmed, let held):
      return
        "replication slot \(slot) was confirmed up to \(confirmed), the change log holds everything only up "
        + "to \(held): the changes between are not in it"
    case .slotAheadOfCheckpoint(let slot, let confirmed, let checkpoint):
      return "replication slot \(slot) was confirmed up to \(confirmed), the target's checkpoint stands at "
        + "\(checkpoint), and there is no change log that holds what lies between"
    case .slotActive(let slot, let pid):
      return "replication slot \(slot) is being read by server process \(pid)"
    case .slotLost(let slot, let reason):
      return "replication slot \(slot) is lost (\(reason)): the server has removed WAL it needed"
    case .slotUnusable(let slot, let what):
      return "replication slot \(slot) cannot be used: \(what)"
    case .preparedMissing(let gid, let xid, let commit):
      return
        "prepared transaction '\(gid)' (\(xid)) was committed at \(commit), but its changes are not in the "
        + "change log's spool: they were sent when it was prepared, and are not sent again"
    case .publicationMissing(let publication):
      return "publication \(publication) does not exist, though capture has begun before"
    case .publicationUnfit(let publication, let what):
      return "publication \(publication) does not fit: \(what)"
    case .replicaIdentity(let table, let what):
      return "table \(table) must not be published: \(what)"
    case .partitionLayout(let table, let partition):
      return "partition \(partition) of \(table) \(PartitionLayout.danger)"
    case .binaryUnreadable(let table, let column, let type):
      return "column \(column) of \(table) is of type \(type), whose binary form Crossfade cannot read"
    case .statusText(let table, let column, let what, _): return "\(column) of \(table) \(what)"
    case .generatedIdentity(let table, let column, _):
      return
        "table \(table) must not be published like this: its replica identity is FULL and holds generated column "
        + "\(column), which is not sent; the application's updates and deletes would fail"
    case .privilege(let what, _): return what
    case .missingObject(let what, _): return what
    case .exhausted(let what): return what
    }
  }

  /// How to mend it.
  public var hint: String {
    switch self {
    case .serverTooOld: return "upgrade the server, or read from a newer one"
    case .walLevel: return "ALTER SYSTEM SET wal_level = logical; then restart the server"
    case .otherSystem, .otherDatabase, .timelineBehind:
      return "point source.connection at the server the log belongs to, or give this slot definition a log "
        + "directory of its own"
    case .standby:
      return "point source.connection at the primary: name all servers, as in host=a,b, with "
        + "target_session_attrs=read-write"
    case .timelineForeign, .slotMissing, .slotMissingForCheckpoint, .slotAhead, .slotAheadOfCheckpoint,
      .slotLost:
      return Self.declaredGap
    case .preparedMissing:
      return
        "nothing was changed. The slot would send this commit again, so a declared gap needs a new one: `crossfade reset "
        + "SLOT --accept-gap --drop-slot` (keeps the old log aside, forgets the checkpoint), then "
        + Self.afterGap
    case .timelineDiverged:
      return Self.declaredGap
        + ". What readers of the log got past that point never happened. To prevent it: "
        + "failover slots and synchronized_standby_slots (PostgreSQL 17 and later)"
    case .slotNotSynchronized(_, _, _, canSynchronize: true):
      return Self.declaredGap
        + ". For the next time: slots made with failover (the default), and on each standby "
        + "sync_replication_slots, hot_standby_feedback and primary_slot_name; `crossfade check` looks at it"
    case .slotNotSynchronized(_, _, _, canSynchronize: false):
      return Self.declaredGap + ". PostgreSQL synchronizes slots to standbys from 17 on"
    case .slotActive(_, let pid):
      return "stop the other consumer; SELECT * FROM pg_stat_activity WHERE pid = \(pid) shows which it is"
    case .slotUnusable: return "name another slot in the slot definition, or drop this one if nobody needs it"
    case .publicationMissing(let publication):
      return
        "changes made while it was missing may not have been sent. Create publication \(publication) again as "
        + "`crossfade check` shows it, then `crossfade reset SLOT --accept-gap` and backfill"
    case .publicationUnfit: return "alter the publication, or name another one in the slot definition"
    case .replicaIdentity: return "give the table a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL"
    case .partitionLayout: return PartitionLayout.remedy
    case .binaryUnreadable: return "write `binary: false` under `stream:` in the slot definition"
    case .statusText(_, _, _, let remedy): return remedy
    case .generatedIdentity(_, _, let grant): return grant
    case .privilege(_, let grant): return grant
    case .missingObject(_, let hint): return hint
    case .exhausted:
      return "raise max_replication_slots or max_wal_senders and restart the server, or drop an unused slot"
    }
  }
}

extension Refusal {
  private static let declaredGap =
    "nothing was changed. To go on with a declared gap: `crossfade reset SLOT --accept-gap` (keeps the old log "
    + "aside, forgets the checkpoint), then " + afterGap

  private static let afterGap =
    "`crossfade run`, then `crossfade backfill` and `crossfade verify` (after a cutover `reset` says what comes before them)"
}

extension CaptureError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .refused(let refusal): return refusal.description
    case .postgres(let error): return error.description
    case .log(let error): return "\(error)"
    case .protocolViolation(let walStart, let what):
      return "the stream breaks pgoutput's rules at \(walStart): \(what)"
    }
  }

  /// How to mend it, where we know.
  public var hint: String? {
    switch self {
    case .refused(let refusal): return refusal.hint
    case .postgres(let error): return error.hint
    case .log: return nil
    case .protocolViolation:
      return
        "keep the change log and report this with `crossfade decode` of a recording; nothing was confirmed past it"
    }
  }
}
