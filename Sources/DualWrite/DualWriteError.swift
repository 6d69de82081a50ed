public import ChangeLog
public import PGOutput
public import Postgres

/// Why the dual-write stops for good.
public enum DualWriteError: Error, Sendable {
  /// The target reported something that trying again will not mend.
  case postgres(PostgresError)
  /// The change log cannot be read.
  case log(ChangeLogError)
  /// A record of the log cannot be decoded.
  case decode(DecodeError, walStart: LSN)
  /// The target's checkpoint is of another origin than the log.
  case foreignCheckpoint(slot: String, what: String)
  /// The target is a standby, which takes no writes.
  case standby
  /// Another process applies this slot.
  case heldElsewhere(slot: String, pid: Int64?)
  /// The published table lacks a column that is needed.
  case relationUnfit(relation: String, what: String)
  /// The checkpoint was written by a newer Crossfade.
  case newerCheckpoint(format: Int)
  /// A table or column of the derivation is not in the target.
  case missingObject(what: String)
  /// The map cannot be used as it stands.
  case mapUnfit(what: String)
}

extension DualWriteError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .postgres(let error): return error.description
    case .log(let error): return error.description
    case .decode(let error, let walStart): return "the record of \(walStart) cannot be decoded: \(error)"
    case .foreignCheckpoint(let slot, let what):
      return "the target's checkpoint of slot \(slot) belongs to another origin: \(what)"
    case .standby: return "the target is a standby: it takes no writes before it is promoted"
    case .heldElsewhere(let slot, let pid):
      return "slot \(slot) is being applied by server process \(pid.map(String.init) ?? "unknown")"
    case .relationUnfit(let relation, let what): return "the changes of \(relation) cannot be used: \(what)"
    case .newerCheckpoint(let format):
      return "the checkpoint has format \(format), this program knows \(ControlSchema.version)"
    case .missingObject(let what): return what
    case .mapUnfit(let what): return "the state map cannot be used: \(what)"
    }
  }

  /// How to mend it, where we know.
  public var hint: String? {
    switch self {
    case .postgres(let error):
      return error.hint
        ?? (error.sqlState == .insufficientPrivilege ? "`crossfade check` lists the grants needed" : nil)
    case .log(.pruned):
      return
        "what the dual-write needs was dropped; if it is archived: give log.restore. Otherwise `crossfade reset SLOT --accept-gap`, then backfill and verify"
    case .log: return nil
    case .decode:
      return "`crossfade decode` shows what the log holds; nothing past the checkpoint was applied"
    case .foreignCheckpoint:
      return
        "if the source was rebuilt on purpose: `crossfade reset SLOT --accept-gap`, then backfill and verify"
    case .standby: return "name all servers in source.connection, with target_session_attrs=read-write"
    case .heldElsewhere(_, let pid):
      return "stop the other process"
        + (pid.map { "; SELECT * FROM pg_stat_activity WHERE pid = \($0) shows it" } ?? "")
    case .relationUnfit: return "publish the key columns and the old column, in text form"
    case .newerCheckpoint: return "run the version of crossfade that wrote it, or a newer one"
    case .missingObject:
      return "`crossfade expand SLOT` makes what is missing; `crossfade check SLOT` lists it"
    case .mapUnfit: return "each status must stand in one row of the map with one id; then run again"
    }
  }
}
