public import ChangeLog
public import Derivation
import PGOutput
public import Postgres

/// Compares what a range of the log derives with what the target holds.
///
/// The rows of a window of changes are looked up together. Those that differ are put aside as suspects until the range is
/// walked, or until there are too many; then the log is read on to its end for them alone, and they are looked at again:
/// `Settlement`. So memory holds a window of keys and the suspects, whatever the range, and the log is read once more for
/// each `suspectLimit` rows that differ.
///
/// A truncation concerns the rows of the window and the suspects; a row that was looked at before, and found right, is
/// not looked at again.
public struct Diff {
  /// How much is held in memory, and how long is waited.
  public struct Limits: Sendable {
    /// Keys of a window.
    public var window = 50_000
    /// Keys that differ.
    public var suspects = 100_000
    /// Milliseconds that the log is given to take in what the target shows.
    public var wait = 10_000

    /// The usual limits.
    public init() {}
  }

  let log: LogSource
  let definition: SlotDefinition
  let range: ResolvedRange
  let keys: Set<RowKey>?
  let crossesDamage: Bool
  let map: StateMap
  let target: TargetReader
  let limits: Limits
  let interrupt: Interrupt

  /// A comparison by a map.
  public init(
    log: LogSource, definition: SlotDefinition, range: ResolvedRange, keys: Set<RowKey>?, crossesDamage: Bool,
    map: StateMap, target: TargetReader, limits: Limits = Limits(), interrupt: Interrupt
  ) {
    self.log = log
    self.definition = definition
    self.range = range
    self.keys = keys
    self.crossesDamage = crossesDamage
    self.map = map
    self.target = target
    self.limits = limits
    self.interrupt = interrupt
  }

  /// Walks the range. `report` is called with each difference, when it is certain; `progress` often.
  public func run(
    report: (Difference) -> Void, progress: (Position, UInt64) -> Void
  ) throws(ReplayError) -> DiffSummary {
    let walk = EventWalk(
      log, derive: definition.derive, range: range, keys: keys, crossesDamage: crossesDamage)
    var summary = DiffSummary(range: range)
    var window = KeyStates()
    var suspects = KeyStates()
    var unseen = keys ?? []
    while let step = try walk.next() {
      switch step {
      case .gap(let gap): summary.gaps.append(gap)
      case .event(let event):
        for key in [event.key, event.oldKey] { if let key { unseen.remove(key) } }
        suspects.noteKnown(event)
        window.note(event) { isWanted($0) && !suspects.contains($0) }
      }
      summary.changes = walk.changes
      if walk.changes.isMultiple(of: 1024) {
        progress(walk.position, walk.changes)
        if interrupt.isStopped { throw .stopped(at: walk.position) }
      }
      if window.count >= limits.window { try sift(&window, into: &suspects, &summary) }
      if suspects.count >= limits.suspects {
        try settle(&suspects, after: walk.position, &summary, report)
      }
    }
    summary.changes = walk.changes
    try sift(&window, into: &suspects, &summary)
    try settle(&suspects, after: walk.position, &summary, report)
    // A key mistyped is not one that agrees.
    summary.unseen = unseen.sorted { $0.text < $1.text }
    progress(Position(endLSN: range.through), walk.changes)
    return summary
  }

  private func isWanted(_ key: RowKey) -> Bool { keys?.contains(key) ?? true }

  /// Looks the window's rows up; those that differ become suspects.
  private func sift(
    _ window: inout KeyStates, into suspects: inout KeyStates, _ summary: inout DiffSummary
  ) throws(ReplayError) {
    guard !window.isEmpty else { return }
    let judge = Judge(map: map, isBothWays: target.isBothWays)
    summary.lookedAt &+= UInt64(window.count)
    var rest = Array(window.states)[...]
    while !rest.isEmpty {
      let page = rest.prefix(Settlement.page)
      rest = rest.dropFirst(Settlement.page)
      let looks = try target.look(page.map { ($0.key, nil) })
      for ((key, state), look) in zip(page, looks) where judge.difference(state, look.row) != nil {
        suspects.put(key, state)
      }
      if interrupt.isStopped { throw .stopped(at: range.after) }
    }
    window.removeAll()
  }

  private func settle(
    _ suspects: inout KeyStates, after position: Position, _ summary: inout DiffSummary,
    _ report: (Difference) -> Void
  ) throws(ReplayError) {
    guard !suspects.isEmpty else { return }
    // What comes later in the range will be looked at there.
    let later = ResolvedRange(after: position, through: LSN(rawValue: .max))
    let walk = EventWalk(log, derive: definition.derive, range: later, crossesDamage: crossesDamage)
    var settlement = Settlement(
      walk: walk, judge: Judge(map: map, isBothWays: target.isBothWays), target: target, known: suspects,
      range: range, at: position,
      gaps: summary.gaps,
      limits: limits, interrupt: interrupt)
    suspects.removeAll()
    try settlement.run(&summary, report)
  }
}
