public import PGOutput

/// The changes of a log one after the other, up to its end, for those who must know whether something is missing.
///
///     let walk = LogWalk(LogSource(directory: path), tables: ["public.transactions"], crossesDamage: true)
///     while let step = try walk.next() { ... }
///
/// Damage ends it with an error, after all that is whole before it. Told to cross it, the walk goes on at the next place
/// where a frame is sound, no transaction is open and no table's description can have been lost, and gives a `LogGap`
/// before the first change after it. For one thread at a time; never waits.
public final class LogWalk {
  /// What stands next in the log.
  public enum Step: Sendable {
    /// A change.
    case change(LogChange)
    /// Changes may be missing here.
    case gap(LogGap)
  }

  private let source: LogSource
  private let selection: LogSelection
  private let through: LSN?
  private let crossesDamage: Bool
  private var cursor: UnitCursor?
  private var unit: LogTransaction.Head?
  /// Whether nothing more will come: the range has ended, or the rest of the log is lost.
  public private(set) var isOver = false
  /// The last position that was given, or passed over.
  private var passed: Position
  /// A gap whose other side has not been seen.
  private var gap: LogGap?
  /// Where reading went on after damage: met again right there, that frame is stepped over.
  private var resumed: LogCursor?

  /// A walk over what stands after `position`, up to the last transaction that ends at `through` or before. Nothing is
  /// opened yet.
  ///
  /// - Parameters:
  ///   - keys: a few rows, looked for in the frames as they are.
  ///   - messages: the prefix of messages that are wanted beside the tables, if they are of a transaction.
  ///   - follows: for those who wait at the log's end: what makes no sense there may be a write seen half done.
  public init(
    _ source: LogSource, after position: Position? = nil, through: LSN? = nil, tables: Set<String>? = nil,
    keys: LogKeys? = nil, messages: String? = nil, crossesDamage: Bool = false, follows: Bool = false
  ) {
    self.source = source
    self.through = through
    self.crossesDamage = crossesDamage
    selection = LogSelection(
      after: position, tables: tables, keys: keys, messages: messages.map { Array($0.utf8) }, follows: follows
    )
    passed = position ?? Position(endLSN: .invalid)
  }

  /// Everything up to here was walked: the last transaction's end, or a later position before which the log says that
  /// nothing else has committed. While a transaction is open, the end of the one before it.
  public var reach: LSN {
    let walked = passed.ordinal == Position.whole ? passed.endLSN : .invalid
    guard unit == nil, let cursor, cursor.isDrained else { return walked }
    return max(walked, cursor.reader.reach)
  }

  /// The next change or gap; nil at the end of the range, or of the log: asked again, it looks whether the log has grown.
  public func next() throws(ChangeLogError) -> Step? {
    while !isOver {
      do throws(ChangeLogError) {
        return try advance()
      } catch {
        guard crossesDamage, let place = DamagedPlace(error, source, cursor?.reader.cursor) else {
          isOver = true
          throw error
        }
        if let step = try cross(place) { return step }
      }
    }
    return nil
  }

  /// Waits for more at the log's end: until something was written, a `wake` of the tail, or the timeout. Then `next` is
  /// asked again. Only for a thread that may sleep.
  public func wait(_ timeout: Duration) throws(ChangeLogError) {
    guard !isOver, let cursor, cursor.isDrained else { return }
    if let chunk = try cursor.reader.next(timeout: timeout) { cursor.take(chunk) }
  }

  private func advance() throws(ChangeLogError) -> Step? {
    let cursor = try opened()
    while true {
      if let head = unit {
        if let change = try cursor.nextChange() {
          passed = change.position
          return .change(change)
        }
        passed = Position(endLSN: head.end)
        unit = nil
      }
      if let through, gap == nil, reach >= through {
        isOver = true
        return nil
      }
      let head = try cursor.nextUnit()
      if let head, let through, head.end > through { isOver = true } else { unit = head }
      if let gap {
        self.gap = nil
        return .gap(gap.closed(by: head?.end))
      }
      if unit == nil { return nil }
    }
  }

  private func opened() throws(ChangeLogError) -> UnitCursor {
    if let cursor { return cursor }
    let opened = try UnitCursor(source, selection)
    cursor = opened
    return opened
  }

  /// Goes on behind damage; gives the gap when nothing stands behind it.
  private func cross(_ place: DamagedPlace) throws(ChangeLogError) -> Step? {
    let gap =
      self.gap
      ?? LogGap(
        after: max(passed, Position(endLSN: unit == nil ? reach : .invalid)), next: nil, file: place.file,
        offset: place.offset, reason: place.reason)
    let reached = max(passed.endLSN, cursor?.reader.reach ?? .invalid)
    unit = nil
    guard let way = try DamageCrossing(source).way(past: cursor, resumed, after: selection.after) else {
      self.gap = nil
      isOver = true
      return .gap(gap)
    }
    self.gap = gap
    resumed = way.cursor
    cursor = try UnitCursor(
      source, selection,
      resuming: LogReader(
        directory: source.directory, tail: source.tail, restore: source.restore, resuming: way.cursor,
        relations: way.relations,
        reached: reached))
    return nil
  }
}

extension LogGap {
  /// The gap, with what was found behind it.
  fileprivate func closed(by next: LSN?) -> LogGap {
    LogGap(after: after, next: next, file: file, offset: offset, reason: reason)
  }
}

/// Where a log cannot be read, as an error tells it.
struct DamagedPlace {
  let file: String
  let offset: UInt64
  let reason: String

  /// Nil for what is no damage. An error without a place is one of the frame before the cursor.
  init?(_ error: ChangeLogError, _ source: LogSource, _ cursor: LogCursor?) {
    switch error {
    case .damaged(let file, let offset, let reason):
      (self.file, self.offset, self.reason) = (file, offset, reason)
    case .malformedRecord, .compression:
      guard let cursor else { return nil }
      file = LogDirectory(path: source.directory).segmentPath(cursor.segment)
      (offset, reason) = (cursor.offset, error.description)
    case .pruned(let asked, let first):
      // Asked for at the beginning it is another matter: see the caller.
      guard cursor != nil else { return nil }
      file = LogDirectory(path: source.directory).segmentPath(asked)
      (offset, reason) = (0, "it was dropped before it was read: the log begins at \(first)")
    default: return nil
    }
  }
}
