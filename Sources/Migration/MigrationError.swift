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
}

/// A session that holds a lock which a step needs. The query's text is not recorded: it may hold card data.
public struct Blocker: Sendable, Hashable {
  /// Its server process.
  public var pid: Int64
  /// Its `application_name`.
  public var application: String
  /// Its state: `active`, `idle in transaction`, ...
  public var state: String
  /// Seconds since its transaction began.
  public var transactionSeconds: Int64
}

extension MigrationError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .postgres(let error): return error.description
    case .log(let error): return error.description
    case .lockNotObtained(let what, let attempts, let blockers):
      let held = blockers.map {
        "pid \($0.pid) (\($0.application.isEmpty ? "no application_name" : $0.application), \($0.state), "
          + "transaction open for \($0.transactionSeconds) s)"
      }
      return "could not \(what): the lock was not free in \(attempts) attempts"
        + (held.isEmpty ? "" : "; held by " + held.joined(separator: ", "))
    case .notReady(let what, _): return what
    case .mapDiffers(let what):
      return "the state map in the database differs: " + what.joined(separator: "; ")
    case .heldElsewhere(let step, let pid):
      return "\(step) is already running" + (pid.map { " in server process \($0)" } ?? "")
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
    }
  }
}
