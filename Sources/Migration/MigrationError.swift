public import ChangeLog
public import Postgres

/// Why a step of the migration stops.
public enum MigrationError: Error, Sendable {
  /// The server reported something that trying again will not mend.
  case postgres(PostgresError)
  /// The change log cannot be read.
  case log(ChangeLogError)
  /// A lock could not be had within the budget; who held it.
  case lockNotObtained(what: String, attempts: Int, blockers: [Blocker])
  /// Something must be done first.
  case notReady(what: String, hint: String)
  /// The map in the database and the one in the definition differ.
  case mapDiffers(what: [String])
  /// Another process runs this step.
  case heldElsewhere(step: String, pid: Int64?)
  /// Another command works on the migration of this slot; who holds its lock.
  case busy(slot: String, holder: String)
  /// The session that held the migration's lock is gone.
  case lockLost(slot: String)
  /// The dual-write did not take up what was asked of it; why not.
  case notTurned(slot: String, why: String)
}

extension MigrationError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .postgres(let error): return error.description
    case .log(let error): return error.description
    case .lockNotObtained(let what, let attempts, let blockers):
      return
        "could not \(what): the lock was not free in \(attempts) \(attempts == 1 ? "attempt" : "attempts")"
        + (blockers.isEmpty ? "" : "; held by " + blockers.map(\.description).joined(separator: ", "))
    case .notReady(let what, _): return what
    case .mapDiffers(let what):
      return "the state map in the database differs: " + what.joined(separator: "; ")
    case .heldElsewhere(let step, let pid):
      return "\(step) is already running" + (pid.map { " in server process \($0)" } ?? "")
    case .busy(let slot, let holder): return "the migration of slot \(slot) is being worked on: \(holder)"
    case .lockLost(let slot):
      return "the session that held the lock of the migration of slot \(slot) is gone: somebody ended it"
    case .notTurned(let slot, let why):
      return "the dual-write of slot \(slot) did not turn: \(why); it was asked to stay as it was"
    }
  }

  /// How to mend it, where we know.
  public var hint: String? {
    switch self {
    case .postgres(let error): return error.hint
    case .log: return nil
    case .lockNotObtained:
      return "nothing was changed; let these sessions end, or run the step at a quieter time"
    case .notReady(_, let hint): return hint
    case .mapDiffers:
      return "change derive.map.states of the definition or the map table, so that both say the same"
    case .heldElsewhere: return "wait for it, or stop it; a step runs once at a time"
    case .busy: return "wait for it, or stop it; one command at a time works on a migration"
    case .lockLost: return "run it again: it goes on where it was"
    case .notTurned: return "let `crossfade run` catch up (`crossfade status SLOT`), then run this again"
    }
  }
}
