public import ChangeLog
public import PGOutput

/// What events begin after.
public enum EventStart: Hashable, Sendable {
  /// Nothing: with the first that is held.
  case earliest
  /// All that is there: with the next to come.
  case latest
  /// A position, exclusively.
  case after(Position)
  /// All that had committed before a moment.
  case time(Timestamp)
}

extension EventStart: LosslessStringConvertible {
  /// Reads `earliest`, `latest`, a position, or a moment in ISO 8601.
  public init?(_ description: String) {
    switch description {
    case "earliest": self = .earliest
    case "latest": self = .latest
    default:
      if let position = Position(description) {
        self = .after(position)
      } else if let time = Timestamp(iso8601: description) {
        self = .time(time)
      } else {
        return nil
      }
    }
  }

  /// As it is written.
  public var description: String {
    switch self {
    case .earliest: "earliest"
    case .latest: "latest"
    case .after(let position): "\(position)"
    case .time(let time): "\(time)"
    }
  }

  /// The position in a log, as it stands now. Of a moment it is searched, which reads up to two segments of it.
  ///
  /// A moment before the first commit held is only a position where nothing was ever dropped from the log.
  ///
  /// Throws `pruned` and `aheadOfLog` for what the log does not hold, `noLog` where there is none.
  public func position(in log: LogSource) throws(ChangeLogError) -> Position {
    guard let bounds = try log.bounds() else { throw .noLog(directory: log.directory) }
    // In the process that writes it, what is durable; where its newest segment is damaged, as far as anybody asks.
    let end = log.tail?.durable?.watermark ?? bounds.watermark
    switch self {
    case .earliest: return Position(endLSN: bounds.start)
    case .latest:
      guard let end else {
        throw .damaged(file: log.directory, offset: 0, reason: "where it ends is not known: it is damaged")
      }
      return Position(endLSN: end)
    case .after(let position):
      // The rest of a transaction that ended where the log begins is not there any more.
      let needed = position.ordinal == Position.whole ? position.endLSN : position.endLSN.predecessor
      guard needed >= bounds.start else {
        throw .pruned(asked: position.endLSN, firstHeld: bounds.start)
      }
      if let end, position.endLSN > end { throw .aheadOfLog(asked: position.endLSN, end: end) }
      return position
    case .time(let time):
      let position = try log.position(before: time)
      // Of what the log held before, nobody knows whether it was later than that.
      guard position.endLSN > bounds.start || bounds.start <= bounds.origin.creationPoint else {
        throw .pruned(asked: bounds.origin.creationPoint, firstHeld: bounds.start)
      }
      return position
    }
  }
}

extension LSN {
  fileprivate var predecessor: LSN { LSN(rawValue: rawValue == 0 ? 0 : rawValue - 1) }
}
