public import ChangeLog
public import Derivation
public import PGOutput
public import Postgres

/// The part of a log to be replayed, as it was asked for.
public struct ReplayRange: Hashable, Sendable {
  /// Where it ends.
  public enum End: Hashable, Sendable {
    /// Where the log does, as it is now.
    case log
    /// What ends here or before.
    case position(LSN)
    /// Before the first transaction that committed later: commit times do not follow the order of commits to the
    /// microsecond, and a range is a piece of the log without holes.
    case time(Timestamp)
  }

  /// What to begin after; nil begins where the log does.
  public var after: Position?
  /// Where it ends.
  public var end: End

  /// A range from its ends.
  public init(after: Position?, end: End) {
    self.after = after
    self.end = end
  }
}

/// A range whose ends are positions that the log holds.
public struct ResolvedRange: Hashable, Sendable {
  /// What ends after this.
  public var after: Position
  /// What ends here or before.
  public var through: LSN

  /// A range from its ends.
  public init(after: Position, through: LSN) {
    self.after = after
    self.through = through
  }
}

extension ReplayRange {
  /// The range's ends in a log, as it stands now.
  ///
  /// Where the end is a time, the log is read for it. `progress` is called often meanwhile, with what is read at most.
  ///
  /// - Throws: `pruned` or `aheadOfLog` for what the log does not hold; `refused` for a range that ends before it begins,
  ///   or may do so: nothing that is compared with nothing would look like agreement.
  public func resolved(
    in log: LogSource, derive: SlotDefinition.Derive, crossesDamage: Bool, interrupt: Interrupt? = nil,
    progress: (ResolvedRange, Position, UInt64) -> Void = { _, _, _ in }
  ) throws(ReplayError) -> ResolvedRange {
    let bounds = try Self.bounds(of: log)
    // Where the newest segment is damaged nobody knows how far the log reaches: the walk will say where it ends.
    let held = bounds.watermark ?? LSN(rawValue: .max)
    let after = self.after ?? Position(endLSN: bounds.start)
    guard after.endLSN >= bounds.start else {
      throw .log(.pruned(asked: after.endLSN, firstHeld: bounds.start))
    }
    guard after.endLSN <= held else { throw .log(.aheadOfLog(asked: after.endLSN, end: held)) }
    switch end {
    case .log: return ResolvedRange(after: after, through: held)
    case .position(let end):
      guard end <= held else { throw .log(.aheadOfLog(asked: end, end: held)) }
      guard end >= bounds.start else { throw .log(.pruned(asked: end, firstHeld: bounds.start)) }
      guard end >= after.endLSN else {
        throw .refused(
          what: "the range ends at \(end), before it begins, at \(after)", hint: "end it at \(after) or later"
        )
      }
      return ResolvedRange(after: after, through: end)
    case .time(let time):
      var range = ResolvedRange(after: after, through: held)
      let walk = EventWalk(log, derive: derive, range: range, crossesDamage: crossesDamage)
      var last: LSN?
      while let step = try walk.next() {
        if interrupt?.isStopped ?? false { throw .stopped(at: walk.position) }
        if walk.changes.isMultiple(of: 1024) { progress(range, walk.position, walk.changes) }
        guard case .event(let event) = step, let committed = event.transaction.commitTime else { continue }
        guard committed <= time else {
          guard let last else { throw tooEarly(time, bounds.start, event.position, committed) }
          range.through = last
          break
        }
        last = event.position.endLSN
      }
      return range
    }
  }

  private func tooEarly(
    _ time: Timestamp, _ first: LSN, _ position: Position, _ committed: Timestamp
  ) -> ReplayError {
    let begin = after.map { "after \($0)" } ?? "in the log"
    return .refused(
      what:
        "no change \(begin) had committed by \(time): the first one there, \(position), committed later, at "
        + "\(committed); the first position held is \(first)",
      hint: "give --to a later time, or a position; or --from an earlier position")
  }

  private static func bounds(of log: LogSource) throws(ReplayError) -> LogBounds {
    do throws(ChangeLogError) {
      guard let bounds = try log.bounds() else { throw .noLog(directory: log.directory) }
      return bounds
    } catch {
      throw .log(error)
    }
  }
}
