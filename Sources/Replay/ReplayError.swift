public import ChangeLog
public import Postgres

/// Why a replay stops.
public enum ReplayError: Error, Sendable {
  /// The log cannot be read, is damaged, or does not hold what was asked for.
  case log(ChangeLogError)
  /// The target reported something that trying again will not mend.
  case postgres(PostgresError)
  /// A change that cannot be replayed.
  case unfit(position: Position, what: String)
  /// Going on would not be safe, or something must come first.
  case refused(what: String, hint: String)
  /// It was told to stop; what was done up to here stands.
  case stopped(at: Position)
}

extension ReplayError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .log(let error): error.description
    case .postgres(let error): error.description
    case .unfit(let position, let what): "\(position): \(what)"
    case .refused(let what, _): what
    case .stopped(let position): "stopped after \(position)"
    }
  }

  /// How to mend it, where we know.
  public var hint: String? {
    switch self {
    case .log(.damaged), .log(.malformedRecord):
      "--skip-damage crosses it and marks the gap; `crossfade log verify` lists all there is"
    case .log: nil
    case .postgres(let error): error.hint
    case .unfit:
      "the table's replica identity or publication was another then; `crossfade log cat` shows the change"
    case .refused(_, let hint): hint
    case .stopped: nil
    }
  }
}
