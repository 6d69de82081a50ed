public import ChangeLog
public import Derivation
public import PGOutput

/// Walks the events of a log from a position on. Never waits unless told to; for one thread at a time.
public final class EventCursor {
  private let walk: LogWalk
  private let plan: EventPlan
  private let filter: EventFilter
  private var reader: EventReader
  /// What is known of the map. Another one forgets what was remembered under the last.
  public var map: StateMap {
    get { reader.rule.map }
    set { reader.learn(newValue) }
  }
  /// What others remember of the latest changes, for a cursor that does not remember enough itself.
  public var recent: RecentStates? {
    get { reader.recent }
    set { reader.recent = newValue }
  }
  /// The map as it stands at a moment or later, for one that lacks a value: asked before a change is told to be `unmapped`.
  /// Nil where nobody can be asked.
  public var fresh: (@Sendable (Timestamp) -> StateMap?)?
  private var last: Position
  /// Whether the last answer was that nothing more is there yet.
  public private(set) var isAtEnd = false

  /// Events after a position. Damage in the log is crossed, and told as a gap.
  ///
  /// - Parameters:
  ///   - through: what ends later is not given.
  ///   - follows: for those who wait at the log's end.
  ///   - rows: how many rows are remembered, to tell what was before where the log has no old rows. 32 bytes each; the memory is
  ///     taken when it is needed.
  public init(
    _ log: LogSource, plan: EventPlan, map: StateMap, after: Position, through: LSN? = nil,
    filter: EventFilter = EventFilter(), follows: Bool = false, remembering rows: Int = 1 << 18
  ) {
    self.plan = plan
    self.filter = filter
    reader = EventReader(plan, map: map)
    reader.remember(rows: rows)
    last = after
    walk = LogWalk(
      log, after: after, through: through, tables: [plan.table], messages: OwnMarks.correction,
      crossesDamage: true, follows: follows)
  }

  /// Remembers rows from here on, where it did not.
  public func remember(rows: Int) { reader.remember(rows: rows) }

  /// Everything up to here was given, or passed over: what to go on after.
  public var position: Position { max(last, Position(endLSN: walk.reach)) }

  /// Whether nothing more will come: the range has ended, or the rest of the log is lost.
  public var isOver: Bool { walk.isOver }

  /// The next event that is wanted; nil at the end of the range or of the log, and after `limit` changes that were not
  /// wanted. Asked again, it goes on.
  public func next(passing limit: Int = .max) throws(ChangeLogError) -> StateEvent? {
    var passed = 0
    isAtEnd = false
    while passed < limit {
      guard let step = try walk.next() else {
        isAtEnd = true
        return nil
      }
      let event: StateEvent?
      switch step {
      case .gap(let gap):
        reader.forget()
        event = StateEvent(gap: EventGap(after: gap.after, next: gap.next, reason: gap.reason))
      case .change(let change): event = try told(change)
      }
      guard let event else { continue }
      last = event.position
      if filter.allows(event, of: plan) { return event }
      passed += 1
    }
    return nil
  }

  private func told(_ change: LogChange) throws(ChangeLogError) -> StateEvent? {
    guard let event = try reader.event(change, after: last) else { return nil }
    guard case .none(.unmapped) = event.state, let fresh, let committed = change.transaction.commitTime,
      let map = fresh(committed), map != reader.rule.map
    else { return event }
    reader.learn(map)
    var again = try reader.event(change, after: last)
    if again?.previous == nil { again?.previous = event.previous }
    return again
  }

  /// Waits for more at the log's end, up to a timeout. For a thread that may sleep.
  public func wait(_ timeout: Duration) throws(ChangeLogError) { try walk.wait(timeout) }
}
