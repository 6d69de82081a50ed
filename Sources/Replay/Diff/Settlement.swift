import ChangeLog
import Derivation
import DualWrite
import PGOutput
import Postgres

/// Finds out which suspects differ for good: reads the log on to its end for them, looks at them again, and waits until the
/// log holds everything that the look could see.
///
/// A row is different when, after a look that saw the last change of it that the log knows, the log has come past
/// the target's position read after that look and knows no later change of the row.
struct Settlement {
  /// Keys of a look.
  static let page = 5000
  /// Changes older than this are seen by every snapshot, or never will be.
  private static let visibilityMicroseconds: Int64 = 86_400_000_000

  private let walk: EventWalk
  private let judge: Judge
  private let target: TargetReader
  private var known: KeyStates
  private let range: ResolvedRange
  private let start: Position
  private let limits: Diff.Limits
  private let interrupt: Interrupt
  private var gaps: [LogGap] = []
  /// Suspects that a later change in the range names. A truncation names none: the rows it took away are not met again.
  private var comesAgain: Set<RowKey> = []
  /// Gaps met before the suspects were settled.
  private let before: [LogGap]

  /// Why a row cannot be judged yet.
  private enum Doubt {
    /// The dual-write has not come as far.
    case pending(Difference)
    /// Something that is not known could explain it.
    case undecided
  }

  init(
    walk: EventWalk, judge: Judge, target: TargetReader, known: KeyStates, range: ResolvedRange,
    at start: Position, gaps: [LogGap], limits: Diff.Limits, interrupt: Interrupt
  ) {
    self.walk = walk
    self.judge = judge
    self.target = target
    self.known = known
    self.range = range
    self.start = start
    before = gaps
    self.limits = limits
    self.interrupt = interrupt
  }

  mutating func run(_ summary: inout DiffSummary, _ report: (Difference) -> Void) throws(ReplayError) {
    try readOn()
    // What comes again later in the range is looked at there.
    for key in comesAgain { known.remove(key) }
    let asked = UInt64(known.count)
    var found: UInt64 = 0
    var doubts: [RowKey: Doubt] = [:]
    let deadline = Deadline.after(milliseconds: limits.wait)
    while !known.isEmpty {
      doubts.removeAll()
      for difference in try round(&doubts, deadline) {
        report(difference)
        summary.counts[difference.kind, default: 0] &+= 1
        found &+= 1
      }
      if known.isEmpty || deadline.hasPassed { break }
      if interrupt.wait(milliseconds: 50) { throw .stopped(at: start) }
    }
    for doubt in doubts.values {
      found &+= 1
      guard case .pending(let difference) = doubt else {
        summary.undecided &+= 1
        continue
      }
      report(difference)
      summary.counts[.pending, default: 0] &+= 1
    }
    summary.explained &+= asked &- min(found, asked)
    summary.logRead = max(summary.logRead, walk.reach)
    summary.gaps += gaps.filter { $0.after.endLSN < range.through && !summary.gaps.contains($0) }
  }

  /// Looks at every suspect once. Those that are right leave; those that differ for good do, too, and are given.
  private mutating func round(
    _ doubts: inout [RowKey: Doubt], _ deadline: Deadline
  ) throws(ReplayError) -> [Difference] {
    let looked = Array(known.states)
    // Before the rows: what the checkpoint has passed by now, they show.
    let applied = try target.checkpoint()?.endLSN
    var looks: [TargetLook] = []
    let now = Timestamp.now
    for start in stride(from: 0, to: looked.count, by: Self.page) {
      looks += try target.look(
        looked[start..<min(start + Self.page, looked.count)].map { ($0.key, xid($0.value, now)) })
    }
    let seen = try target.position()
    try readOn()
    // However a row differs: it may have gone and come anew with the same status, and the log not have heard of it.
    let needsAll = zip(looked, looks).contains { judge.difference($0.0.value, $0.1.row) != nil }
    while needsAll, walk.reach < seen, !deadline.hasPassed {
      if interrupt.wait(milliseconds: 20) { throw .stopped(at: start) }
      try readOn()
    }
    var certain: [Difference] = []
    for ((key, state), look) in zip(looked, looks) {
      // What has changed since is looked at anew.
      guard known.states[key] == state else {
        doubts[key] = .undecided
        continue
      }
      guard let kind = judge.difference(state, look.row) else {
        known.remove(key)
        continue
      }
      if look.isSettled, !kind.mayBeLost, let applied, applied < state.position.endLSN {
        doubts[key] = .pending(difference(.pending, key, state, look.row))
      } else if !look.isSettled || walk.reach < seen || (kind.mayBeLost && isDoubtful(state)) {
        doubts[key] = .undecided
      } else {
        certain.append(difference(kind, key, state, look.row))
        known.remove(key)
      }
    }
    return certain.sorted { $0.position < $1.position }
  }

  private func difference(
    _ kind: Difference.Class, _ key: RowKey, _ state: KeyState, _ row: HeldRow?
  ) -> Difference {
    var logged: RowEvent.Status?
    if case .present(let status) = state.standing { logged = status }
    return Difference(
      kind: kind, key: key, position: state.position, commitTime: state.transaction.commitTime,
      logged: logged, held: row, expected: row.flatMap(judge.expected))
  }

  /// Whether a change that is lost in a gap could have come after the last one known.
  private func isDoubtful(_ state: KeyState) -> Bool {
    (gaps + before).contains { $0.after >= state.position }
  }

  /// The transaction to be looked for: a commit is in the log before every snapshot sees it.
  private func xid(_ state: KeyState, _ now: Timestamp) -> TransactionID? {
    guard let committed = state.transaction.commitTime,
      now.rawValue - committed.rawValue < Self.visibilityMicroseconds
    else { return nil }
    return state.transaction.xid
  }

  /// Takes in what the log says of the suspects up to its end.
  private mutating func readOn() throws(ReplayError) {
    var count: UInt64 = 0
    while let step = try walk.next() {
      switch step {
      case .gap(let gap): gaps.append(gap)
      case .event(let event):
        known.noteKnown(event)
        guard event.position.endLSN <= range.through else { break }
        for key in [event.key, event.oldKey] { if let key, known.contains(key) { comesAgain.insert(key) } }
      }
      count &+= 1
      if count.isMultiple(of: 4096), interrupt.isStopped { throw .stopped(at: start) }
    }
  }
}
