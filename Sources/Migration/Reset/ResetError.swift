public import ChangeLog
public import Postgres

/// Why a reset is not done.
public enum ResetError: Error, Sendable {
  /// The server reported an error.
  case postgres(PostgresError)
  /// The log is being written, or cannot be renamed.
  case log(ChangeLogError)
  /// Somebody reads the slot.
  case slotActive(slot: String, pid: Int32)
  /// A dual-write of this slot is at work.
  case applied(slot: String)
  /// A `replay --apply` of this slot is at work.
  case replayed(slot: String)
  /// The slot's WAL is gone: kept as it is, it would be refused at the next start.
  case slotLost(slot: String, reason: String)
  /// The slot has sent prepared transactions into the old log's spool, and will not send them again.
  case slotTwoPhase(slot: String)
}

extension ResetError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .postgres(let error): error.description
    case .log(let error): error.description
    case .slotActive(let slot, let pid): "replication slot \(slot) is being read by server process \(pid)"
    case .applied(let slot): "slot \(slot) is being applied by another process"
    case .replayed(let slot): "slot \(slot) is being repaired by `crossfade replay --apply`"
    case .slotLost(let slot, let reason): "replication slot \(slot) is lost (\(reason)), and would stay so"
    case .slotTwoPhase(let slot):
      "replication slot \(slot) is two-phase: what it sent of prepared transactions stands in the old log's spool, and "
        + "is not sent again"
    }
  }

  /// How to mend it, where we know.
  public var hint: String? {
    switch self {
    case .postgres(let error): error.hint
    case .log(.locked): "stop `crossfade run` first: a reset is for a slot that stands still"
    case .log: nil
    case .slotActive(_, let pid):
      "stop `crossfade run` or the other consumer; SELECT * FROM pg_stat_activity WHERE pid = \(pid) shows which it is"
    case .applied: "stop `crossfade run` first, wherever it runs"
    case .replayed: "stop it, or wait for its end"
    case .slotLost, .slotTwoPhase: "add --drop-slot: `crossfade run` then makes it anew"
    }
  }
}
