import PGOutput
import Postgres

/// A pass over the whole table: pages in key order, each a statement of its own, up to a bound pinned at the start.
///
/// Counts, cursor and open rows are committed together after each page, where there is a store: a pass that is killed goes
/// on where it was, and looks at no page twice.
struct WholePass {
  let session: VerifySession
  /// Nil where no progress can be kept.
  let store: VerifyStore?
  let options: VerifyOptions
  let interrupt: Interrupt
  private(set) var state: PassState
  private var size: PageSize
  /// What the last page took.
  private var took = Duration.zero
  /// Open rows that are kept by key.
  private var kept: Int

  init(
    _ state: PassState, open: OpenRows, session: VerifySession, store: VerifyStore?, options: VerifyOptions,
    interrupt: Interrupt
  ) {
    self.state = state
    self.session = session
    self.store = store
    self.options = options
    self.interrupt = interrupt
    size = PageSize(target: options.pageAim, most: options.pageRows)
    kept = open.wrong.count + open.undecided.count
    session.suspects = SuspectBook(Array(open.suspects.values))
  }

  var progress: VerifyProgress {
    VerifyProgress(
      rows: state.found.rows, expected: state.expected > 0 ? state.expected : nil,
      suspects: session.suspects.count, mismatches: state.found.mismatches)
  }

  /// Looks at the next page. False when there is none.
  mutating func step(_ report: (VerifyProgress) -> Void) throws(PostgresError) -> Bool {
    if session.suspects.count >= options.suspects {
      try settle(downTo: options.suspects / 2, report)
      if session.suspects.count >= options.suspects { try leaveUndecided() }
    }
    guard let bound = state.bound, let (look, end) = try nextPage(bound) else { return false }
    var next = state
    var open = OpenRows()
    next.lastKey = end
    next.found.rows += look.rows
    open.add(session.suspects.note(look.wrong, at: look.position))
    take(try session.judge(), into: &next, &open)
    try save(next, open)
    report(progress)
    let rest = options.rest(after: took) / .milliseconds(1)
    if rest >= 1, interrupt.wait(milliseconds: Int(rest)) { throw .interrupted(purpose: "verify") }
    return true
  }

  /// Waits for the last suspects, looks at the quarantine, and ends the pass.
  ///
  /// - Parameter invalid: why it does not count, if it does not.
  mutating func finish(
    quarantine: QuarantineLook?, invalid: String?, _ report: (VerifyProgress) -> Void
  ) throws(PostgresError) {
    try settle(downTo: 0, report)
    var next = state
    if let quarantine {
      do throws(PostgresError) {
        let (stale, count, undecided) = try quarantine.run()
        if count > 0 { next.found.counts[.stale, default: 0] += count }
        next.found.first += stale.prefix(max(0, Verification.shown - next.found.first.count))
        next.found.undecided += undecided
      } catch {
        // A key that is none of the table's: put there by hand, or under another definition.
        guard error.sqlState?.category == "22" else { throw error }
        next.found.notes.append("the quarantine was not looked at: \(error)")
      }
    }
    let open = leftUndecided(&next)
    let applied = try session.appliedPosition(enough: LSN(rawValue: .max))
    next.found.witness = "\(applied.isValid ? applied : try session.table.position())"
    next.finished = true
    next.invalid = invalid
    try save(next, open, telling: next.told)
  }

  private mutating func nextPage(_ bound: [String]) throws(PostgresError) -> (Look, [String])? {
    while true {
      let begin = ContinuousClock.now
      do throws(PostgresError) {
        guard let end = try session.table.pageEnd(after: state.lastKey, through: bound, rows: size.rows)
        else { return nil }
        let look = try session.table.page(after: state.lastKey, through: end)
        took = ContinuousClock.now - begin
        size.note(took, rows: look.rows)
        return (look, end)
      } catch {
        guard error.sqlState == .queryCanceled, !interrupt.isStopped, size.timedOut() else { throw error }
      }
    }
  }

  /// Judges suspects, waiting for the stream, until so few are left, or it stands still.
  private mutating func settle(
    downTo limit: Int, _ report: (VerifyProgress) -> Void
  ) throws(PostgresError) {
    var decided = ContinuousClock.now
    while session.suspects.count > limit {
      var waiting = progress
      waiting.waits = true
      guard let judgement = try session.await({ report(waiting) }) else { return }
      if !judgement.settled.isEmpty || !judgement.wrong.isEmpty {
        decided = .now
      } else if ContinuousClock.now - decided > options.wait {
        // Rows that are changed again and again, each time before the last change has arrived.
        return
      } else if interrupt.wait(milliseconds: 20) {
        throw .interrupted(purpose: "verify")
      }
      var next = state
      var open = OpenRows()
      take(judgement, into: &next, &open)
      try save(next, open)
      report(progress)
    }
  }

  /// The stream stands still: what waits for it stays open, and reading goes on.
  private mutating func leaveUndecided() throws(PostgresError) {
    var next = state
    let open = leftUndecided(&next)
    try save(next, open)
  }

  private mutating func leftUndecided(_ next: inout PassState) -> OpenRows {
    let left = session.suspects.giveUp()
    next.found.undecided += Int64(left.count)
    let room = max(0, VerifyStore.keptRows - kept)
    kept += min(room, left.count)
    var open = OpenRows()
    open.undecided = Array(left.prefix(room))
    open.gone = left.dropFirst(room).map(\.row.key)
    return open
  }

  private mutating func take(
    _ judgement: SuspectBook.Judgement, into next: inout PassState, _ open: inout OpenRows
  ) {
    next.found.settled += Int64(judgement.settled.count)
    next.found.add(judgement.wrong)
    let room = max(0, VerifyStore.keptRows - kept)
    open.note(judgement, room: room)
    kept += min(room, judgement.wrong.count)
  }

  private mutating func save(
    _ next: PassState, _ open: OpenRows, telling event: AuditEvent? = nil
  ) throws(PostgresError) {
    try store?.save(next, open, telling: event)
    state = next
  }
}
