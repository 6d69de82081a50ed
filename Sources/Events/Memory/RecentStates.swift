public import ChangeLog
public import Derivation
import PGOutput
import Synchronization

/// What was before each of the latest changes, for all who follow a log in one process: remembered once, by one table.
///
/// Nobody reads for it: whoever is about to read near the log's end first lets it read up to there (`advance`), so it is as far as
/// whoever is furthest, and costs nothing while nobody listens. It is asked by position, so it does not matter who asks how late.
public final class RecentStates: Sendable {
  /// How far from the log's end, in bytes of WAL, one is near it; who is further back is no reason to begin here.
  private static let nearness: UInt64 = 8 << 20
  /// Changes that are read in one go: others wait meanwhile.
  private static let step = 2_000

  fileprivate struct State {
    var cursor: EventCursor?
    /// What is known begins after this.
    var began = Position(endLSN: .invalid)
    var ring = PreviousRing(capacity: 0)
  }

  fileprivate let log: LogSource
  fileprivate let rows: Int
  fileprivate let changes: Int
  private let state: Mutex<State>

  /// Of a log that is written in this process. Nothing is read before `advance`.
  ///
  /// - Parameters:
  ///   - rows: how many rows are remembered, 32 bytes each.
  ///   - changes: of how many changes it is known what was before, 16 bytes each.
  public init(_ log: LogSource, rows: Int = 1 << 18, changes: Int = 1 << 16) {
    self.log = log
    self.rows = rows
    self.changes = changes
    state = Mutex(State())
  }

  /// Reads on, if one who stands at `position` is near the log's end. True when it knows what there is to know from that position
  /// on, under that map: then one who reads from there need not remember anything.
  public func advance(for position: Position, plan: EventPlan, map: StateMap) -> Bool {
    guard let end = log.tail?.durable?.watermark, end.bytes(since: position.endLSN) <= Self.nearness
    else { return false }
    return state.withLock { state in
      let goesOn = state.cursor.map { cursor in
        cursor.map == map && !cursor.isOver
          && position.endLSN.bytes(since: cursor.position.endLSN) <= Self.nearness
      }
      if goesOn != true { state.begin(self, after: position, plan, map) }
      if let cursor = state.cursor, cursor.position.endLSN < end {
        guard state.read(Self.step) else { return false }
      }
      return max(state.began, state.ring.dropped) <= position
    }
  }

  /// What was before the change at a position; nil where that is not known. What the log got since `advance` is read first.
  func previous(at position: Position) -> StateEvent.Previous? {
    state.withLock { state in
      if let cursor = state.cursor, cursor.position < position {
        _ = state.read(Self.step, through: position)
      }
      return state.ring.previous(at: position)
    }
  }
}

extension RecentStates.State {
  /// Begins anew after a position.
  fileprivate mutating func begin(
    _ recent: RecentStates, after position: Position, _ plan: EventPlan, _ map: StateMap
  ) {
    cursor = EventCursor(
      recent.log, plan: plan, map: map, after: position, follows: true, remembering: recent.rows)
    began = position
    ring = PreviousRing(capacity: recent.changes)
  }

  /// Reads on, up to so many changes, or through a position; false when that fails: who asks then meets the same trouble, and
  /// says so.
  fileprivate mutating func read(_ changes: Int, through last: Position? = nil) -> Bool {
    guard let cursor else { return false }
    do throws(ChangeLogError) {
      for _ in 0..<changes {
        guard let event = try cursor.next() else { break }
        if let previous = event.previous, previous.source == .log { ring.append(event.position, previous) }
        if let last, event.position >= last { break }
      }
      return true
    } catch {
      self.cursor = nil
      return false
    }
  }
}
