import Derivation
import Logging
import PGOutput
import Postgres

/// One session's work: asks the conductor, carries out, reports.
struct BackfillWork {
  private var session: BackfillSession
  private let pid: Int32
  private let watch: BackfillWatch
  private let interrupt: Interrupt
  private let logger: Logger
  private var conductor: Conductor
  private var course = PageCourse()
  private var position = LSN.invalid
  private var revisitAt = 0.0
  private var revisitEvery = 500.0
  private var noted: (state: String, at: Double) = ("", 0)

  /// Between two notes of figures while it works, in milliseconds.
  static let noteEvery = 5_000.0
  /// Between two looks at rows that others hold, in milliseconds: at first, and at last.
  static let revisits = 500.0...10_000.0

  init(
    session: BackfillSession, pid: Int32, definition: SlotDefinition, watch: BackfillWatch,
    interrupt: Interrupt, logger: Logger
  ) {
    self.session = session
    self.pid = pid
    self.watch = watch
    self.interrupt = interrupt
    self.logger = logger
    conductor = Conductor(
      definition.backfill, clocks: session.progress.clocks, now: BackfillWatch.now)
  }

  /// Works until all is done.
  mutating func run(_ report: (BackfillStatus) -> Void) throws(PostgresError) -> BackfillProgress {
    while !session.progress.finished {
      if interrupt.isStopped { throw .interrupted(purpose: "backfill") }
      switch conductor.decide(watch.view(position: position, next: conductor.nextWAL), now: BackfillWatch.now)
      {
      case .hold:
        try tell(report)
        try wait(100)
      case .work(let rows):
        if try revisit() { try tell(report) }
        if session.progress.isAtEnd {
          if session.progress.account.skipped == 0 {
            try session.finish()
          } else {
            try awaitHeldRows(report)
          }
        } else if session.progress.account.skipped >= BackfillSession.mostSkipped {
          try awaitHeldRows(report)
        } else if let page = try attempt(rows, report) {
          try tell(report)
          try rest(conductor.rest(after: page), report)
        }
      }
    }
    try tell(report)
    return session.progress
  }

  /// Tries the next page, or the next part of one that was not taken whole. Nil when nothing was done.
  private mutating func attempt(
    _ rows: Int, _ report: (BackfillStatus) -> Void
  ) throws(PostgresError) -> BackfillSession.Page? {
    watch.begin(pid: pid)
    defer { watch.end() }
    var key: [String]?
    do throws(PostgresError) {
      switch course.next(batch: rows) {
      case .page(let rows, let careful):
        let page = try session.page(rows: rows, careful: careful, clocks: conductor.clocks)
        course.succeeded()
        position = page.position
        conductor.worked(page)
        return page
      case .row(let careful):
        key = try session.nextKey()
        if let key {
          try session.row(key, careful: careful, clocks: conductor.clocks)
        } else {
          _ = try session.page(rows: 1, careful: careful, clocks: conductor.clocks)
        }
        course.succeeded()
        return BackfillSession.Page(rows: 1, milliseconds: 0, walBytes: 0, position: position)
      }
    } catch {
      guard case .server(let cause) = error, !error.isConnectionGone,
        let failure = PageCourse.Failure(cause.sqlState)
      else { throw error }
      // Cancelled because it was paused: nobody's fault, and done again later.
      if failure == .time, watch.view(position: position).control.isPaused { return nil }
      if failure == .time { conductor.timedOut() }
      switch course.failed(failure, batch: rows) {
      case .again: break
      case .wait:
        conductor.enter(.waiting(cause.message), now: BackfillWatch.now)
        try tell(report)
        try wait(Int.random(in: 100...400))
      case .refuse:
        guard let key else { throw error }
        logger.warning(
          "a row is put in quarantine: the server refuses to write it",
          metadata: ["key": "\(JSONStrings.write(key))", "error": "\(BackfillSession.reason(cause))"])
        try session.refuse(key, reason: BackfillSession.reason(cause))
        course.succeeded()
      }
      return nil
    }
  }

  /// Looks again at rows that others held, when it is time. Says whether it did.
  private mutating func revisit() throws(PostgresError) -> Bool {
    let now = BackfillWatch.now
    guard session.progress.account.skipped > 0, now >= revisitAt else { return false }
    let settled = try session.revisit()
    conductor.waited(BackfillWatch.now - now)
    revisitEvery =
      settled > 0 ? Self.revisits.lowerBound : min(Self.revisits.upperBound, revisitEvery * 1.5)
    revisitAt = BackfillWatch.now + revisitEvery
    return true
  }

  private mutating func awaitHeldRows(_ report: (BackfillStatus) -> Void) throws(PostgresError) {
    let count = session.progress.account.skipped
    conductor.enter(
      .waiting("others hold \(count) \(count == 1 ? "row" : "rows"), which are looked at again and again"),
      now: BackfillWatch.now)
    try tell(report)
    try wait(100)
  }

  /// Rests between two pages; what is wanted meanwhile counts at once.
  private mutating func rest(_ milliseconds: Double, _ report: (BackfillStatus) -> Void) throws(PostgresError)
  {
    var left = milliseconds
    while left >= 1 {
      let slice = min(left, 100)
      let began = BackfillWatch.now
      if interrupt.wait(milliseconds: Int(slice.rounded(.up))) { throw .interrupted(purpose: "backfill") }
      conductor.waited(BackfillWatch.now - began, resting: true)
      left -= slice
      if left >= 1 {
        guard
          case .work = conductor.decide(
            watch.view(position: position, next: conductor.nextWAL), now: BackfillWatch.now)
        else {
          return
        }
        try tell(report)
      }
    }
  }

  private mutating func wait(_ milliseconds: Int) throws(PostgresError) {
    let began = BackfillWatch.now
    if interrupt.wait(milliseconds: milliseconds) { throw .interrupted(purpose: "backfill") }
    conductor.waited(BackfillWatch.now - began)
  }

  /// Tells how it stands: here, to those who ask through the socket, and, when it changes or from time to time while it works,
  /// in the table.
  private mutating func tell(_ report: (BackfillStatus) -> Void) throws(PostgresError) {
    let now = BackfillWatch.now
    let status = conductor.status(session.progress, now: now)
    watch.status = status
    report(status)
    let isDue = status.state.name == "working" && now - noted.at > Self.noteEvery
    guard !session.progress.finished, status.state.name != noted.state || isDue else { return }
    noted = (status.state.name, now)
    try session.note(status.note, clocks: conductor.clocks)
  }
}

extension BackfillStatus {
  /// What is written to the table.
  var note: BackfillProgress.Note {
    BackfillProgress.Note(
      state: state.name, reason: state.reason, seconds: since / 1000, batch: Int64(batch), pace: duty,
      rate: rate,
      eta: remaining?.median, etaLate: remaining?.late, drift: drift?.cause)
  }
}
