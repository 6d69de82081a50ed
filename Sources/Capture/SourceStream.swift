import ChangeLog
import Glibc
import Logging
import PGOutput
import Postgres

/// Asks which of these subtransactions were rolled back; calls what it is given between two questions.
typealias RolledBackQuestion = (
  [TransactionID], () throws(CaptureError) -> Void
) throws(CaptureError) -> Set<TransactionID>

/// Reads one stream until it ends, is lost or is told to stop: socket -> framer -> feed, feedback back.
struct SourceStream: ~Copyable {
  let stream: ReplicationStream
  let feed: LogFeed
  let status: CaptureStatusBoard
  let interrupt: Interrupt
  /// The dual-write's committed position, where confirmation waits for it; nil where it does not.
  let confirmationLimit: (@Sendable () -> LSN)?
  let appliedPosition: @Sendable () -> LSN
  /// Which of these subtransactions were rolled back.
  let rolledBack: RolledBackQuestion

  var framer: StreamFramer
  var feedback: Feedback
  var pacing = Pacing()

  /// Bytes gathered before the writer is told; also bounds how long the feed's lock is held.
  private static let burst = 64 * 1024
  /// Messages read before the server is looked after again: what is dropped fills no group.
  private static let burstMessages = 4096
  /// The shortest time between two watermarks that nobody waits for: each costs a sync.
  private static let markInterval: UInt64 = 100_000_000
  /// Silence after which the server is asked for a sign of life, and after which it counts as lost.
  private static let silenceAsk: UInt64 = 30_000_000_000
  private static let silenceLost: UInt64 = 60_000_000_000

  private var sent: LSN
  private var lastCommit: LSN
  /// All up to here has been received and leaves nothing in the log beyond `lastCommit`.
  private var idlePosition: LSN
  private var marked = LSN.invalid
  private var markedAt: UInt64 = 0
  private var heardAt = Deadline.now
  private var hasPaused = false
  private var unsettled: Unsettled?
  private var unsubmitted = false
  private var submittedAt: UInt64 = 0
  private var asked = false
  private var transactions: UInt64 = 0
  private var changes: UInt64 = 0
  private var skipped: UInt64 = 0
  /// Records and steps of spools, so that the writer hears of them.
  private var steps: UInt64 = 0
  /// Whether the prepared transactions are others than were published last.
  private var spoolsChanged = true
  private var published: (UInt64, UInt64, UInt64) = (0, 0, 0)

  init(
    stream: ReplicationStream, feed: LogFeed, status: CaptureStatusBoard, interrupt: Interrupt,
    framer: StreamFramer, start: LSN, reportInterval: UInt64,
    confirmationLimit: (@Sendable () -> LSN)?, appliedPosition: @escaping @Sendable () -> LSN,
    rolledBack: @escaping RolledBackQuestion
  ) {
    self.stream = stream
    self.feed = feed
    self.status = status
    self.interrupt = interrupt
    self.framer = framer
    self.confirmationLimit = confirmationLimit
    self.appliedPosition = appliedPosition
    self.rolledBack = rolledBack
    feedback = Feedback(start: start, now: Deadline.now, interval: reportInterval)
    sent = start
    lastCommit = start
    idlePosition = start
  }

  /// Why reading ended without an error.
  enum End {
    case stopped
    case serverEnded
  }

  mutating func run() throws(CaptureError) -> End {
    try report(forced: true)
    while !interrupt.isStopped {
      let outcome = try readBurst()
      try askAndSettle()
      try report(forced: false)
      switch outcome {
      case .ended: return .serverEnded
      case .full:
        let due = Deadline(nanoseconds: Deadline.now + feedback.nanosecondsUntilDue(now: Deadline.now))
        _ = feed.waitForRoom(deadline: due)
        heardAt = Deadline.now
      case .more: break
      case .empty: try waitForMore()
      }
    }
    return .stopped
  }

  /// The last words of an orderly end: what is durable by now is confirmed, then CopyDone.
  mutating func finish(durable: LSN) throws(CaptureError) {
    feedback.durable(upTo: limited(durable))
    try send(feedback.reportNow(Deadline.now))
    do { try stream.finish(timeoutMilliseconds: 5000) } catch { throw .postgres(error) }
  }

  private enum Burst {
    /// The socket is empty.
    case empty
    /// The socket may hold more.
    case more
    /// The log is behind: no room.
    case full
    case ended
  }

  private mutating func readBurst() throws(CaptureError) -> Burst {
    var outcome = Burst.more
    var count = 0
    let before = changes &+ transactions &+ steps
    let gathered = try feed.gather { (intake) throws(CaptureError) in
      outcome = try readBurst(into: intake, &count)
    }
    if hasPaused {
      hasPaused = false
      pacing.paused(found: count)
    }
    if count > 0 {
      heardAt = Deadline.now
      asked = false
      if changes &+ transactions &+ steps != before { unsubmitted = true }
      publishStatus()
    }
    if unsubmitted { submitIfDue(gathered, atRest: outcome == .empty || outcome == .ended) }
    return outcome != .ended && gathered >= LogFeed.limit ? .full : outcome
  }

  /// At once, unless there is a backlog: then a group gathers first.
  private mutating func submitIfDue(_ gathered: Int, atRest: Bool) {
    let now = Deadline.now
    let waits =
      pacing.saturated && gathered < Pacing.groupBytes && now &- submittedAt < Pacing.groupNanoseconds
    guard !waits, atRest || gathered >= Pacing.groupBytes else { return }
    submittedAt = now
    unsubmitted = false
    feed.submit()
  }

  private mutating func readBurst(into intake: Intake, _ count: inout Int) throws(CaptureError) -> Burst {
    let limit = min(intake.byteCount + Self.burst, LogFeed.limit)
    var consumed = false
    do {
      while intake.byteCount < limit, count < Self.burstMessages {
        switch try stream.next() {
        case .message(let walStart, let payload):
          count += 1
          consumed = false
          if let question = framer.unsettled(payload) {
            unsettled = Unsettled(walStart: walStart, payload: Array(payload), question: question)
            return .more
          }
          try handle(walStart, payload, into: intake)
        case .keepalive(let position, _, let replyRequested):
          count += 1
          sent = max(sent, position)
          if !framer.isInsideTransaction { idlePosition = max(idlePosition, position) }
          feedback.keepalive(sent: position, replyRequested: replyRequested)
          if replyRequested { return .more }
        case .wouldBlock:
          // libpq's buffer is empty, the socket perhaps not.
          if consumed { return .empty }
          try stream.consume()
          consumed = true
        case .ended: return .ended
        }
      }
    } catch let error as PostgresError {
      throw .postgres(error)
    } catch let error as CaptureError {
      throw error
    } catch {
      throw .protocolViolation(walStart: sent, what: "\(error)")
    }
    return .more
  }

  private mutating func handle(
    _ walStart: UInt64, _ payload: UnsafeRawBufferPointer, into intake: Intake
  ) throws(CaptureError) {
    switch try framer.accept(walStart: walStart, payload: payload) {
    case .append:
      if !framer.held.isEmpty { appendHeld(to: intake) }
      intake.log(walStart: walStart, payload: payload)
      changes &+= 1
    case .commit(let end):
      intake.log(walStart: walStart, payload: payload)
      transactions &+= 1
      lastCommit = max(lastCommit, end)
      ended(at: end)
    case .skip(let end):
      leavesNothing(end)
    case .spool(let xid, let idSize):
      for held in framer.takeHeld() {
        held.payload.withUnsafeBytes { intake.spool(xid, walStart: held.walStart, payload: $0, idSize: 0) }
      }
      intake.spool(xid, walStart: walStart, payload: payload, idSize: idSize)
      steps &+= 1
    case .change(let step):
      intake.add(step)
      steps &+= 1
    case .settle(let step, let end, let spooled):
      intake.add(step)
      steps &+= 1
      spoolsChanged = true
      guard spooled > 0 else { return leavesNothing(end) }
      changes &+= UInt64(spooled)
      transactions &+= 1
      lastCommit = max(lastCommit, end)
      ended(at: end)
    case .hold, .drop: break
    }
  }

  /// The end of a streamed transaction with savepoints, read but not accepted.
  private struct Unsettled {
    var walStart: UInt64
    var payload: [UInt8]
    var question: StreamFramer.Unsettled
  }

  /// Asks the server which savepoints were rolled back - without the feed's lock, which the log's thread needs - and
  /// accepts the transaction's end.
  private mutating func askAndSettle() throws(CaptureError) {
    guard let end = unsettled else { return }
    unsettled = nil
    let ask = rolledBack
    let gone = try ask(end.question.subtransactions) { () throws(CaptureError) in try report(forced: false) }
    _ = try feed.gather { (intake) throws(CaptureError) -> Void in
      if !gone.isEmpty, let step = framer.remove(gone, of: end.question.xid) { intake.add(step) }
      let outcome = end.payload.withUnsafeBytes { payload -> Result<Void, CaptureError> in
        Result { () throws(CaptureError) in try handle(end.walStart, payload, into: intake) }
      }
      try outcome.get()
    }
    unsubmitted = true
  }

  private mutating func leavesNothing(_ end: LSN) {
    skipped &+= 1
    idlePosition = max(idlePosition, end)
    ended(at: end)
  }

  private mutating func ended(at end: LSN) {
    sent = max(sent, end)
    feedback.received(upTo: end)
  }

  private mutating func appendHeld(to intake: Intake) {
    for held in framer.takeHeld() {
      held.payload.withUnsafeBytes { intake.log(walStart: held.walStart, payload: $0) }
    }
  }

  private mutating func waitForMore() throws(CaptureError) {
    let now = Deadline.now
    if pacing.saturated {
      usleep(Pacing.pauseMicroseconds)
      hasPaused = true
      return
    }
    try watchSilence(now)
    var due = min(feedback.nanosecondsUntilDue(now: now), 1_000_000_000)
    // The backlog ended while a group gathered: it is not left lying.
    if unsubmitted { due = min(due, 1_000_000) }
    if idlePosition > max(marked, lastCommit) { due = min(due, Self.markInterval) }
    if case .readable = stream.wait(milliseconds: Int(due / 1_000_000) + 1) {
      pacing.waited(nanoseconds: Deadline.now &- now)
    }
    do { try stream.consume() } catch { throw .postgres(error) }
  }

  /// A dead peer sends nothing; a live one answers when asked (pgoutput-facts TC18).
  private mutating func watchSilence(_ now: UInt64) throws(CaptureError) {
    let silence = now &- heardAt
    if silence > Self.silenceLost {
      throw .postgres(
        .connectionLost(
          purpose: "read the stream", message: "the server has been silent for \(silence / 1_000_000_000) s"))
    }
    if silence > Self.silenceAsk, !asked {
      asked = true
      let report = feedback.reportNow(now)
      do {
        try stream.sendStatus(
          written: report.written, flushed: report.flushed, applied: report.applied, replyRequested: true)
      } catch { throw .postgres(error) }
    }
  }

  private mutating func report(forced: Bool) throws(CaptureError) {
    let now = Deadline.now
    let durable = try feed.durable()
    markIdle(now, durable: durable)
    feedback.durable(upTo: limited(durable))
    feedback.applied(upTo: appliedPosition())
    if feedback.owesDurability {
      feed.notify(at: idlePosition)
      // It may have become durable just before we asked to be told.
      feedback.durable(upTo: limited(try feed.durable()))
    }
    if forced {
      try send(feedback.reportNow(now))
    } else if let due = feedback.report(now: now) {
      try send(due)
    }
  }

  /// Idle positions become watermarks in the log before the slot hears of them: at once when the server waits for it,
  /// else once in a while.
  private mutating func markIdle(_ now: UInt64, durable: LSN) {
    guard !framer.isInsideTransaction, idlePosition > max(durable, lastCommit), idlePosition > marked else {
      return
    }
    guard feedback.owesDurability || now &- markedAt >= Self.markInterval else { return }
    marked = idlePosition
    markedAt = now
    feed.mark(watermark: idlePosition)
  }

  /// Where confirmation waits for the dual-write, nothing past its commit is confirmed - unless nothing lies between.
  private func limited(_ durable: LSN) -> LSN {
    guard let applied = confirmationLimit?() else { return durable }
    return applied >= lastCommit ? durable : min(durable, applied)
  }

  private mutating func send(_ report: Feedback.Report) throws(CaptureError) {
    do {
      try stream.sendStatus(written: report.written, flushed: report.flushed, applied: report.applied)
    } catch { throw .postgres(error) }
    publishStatus(confirmed: report.flushed)
  }

  private mutating func publishStatus(confirmed: LSN? = nil) {
    let added = (transactions &- published.0, changes &- published.1, skipped &- published.2)
    published = (transactions, changes, skipped)
    let full = feed.fullSince
    let open = framer.openStreams
    let prepared = spoolsChanged ? framer.pending : nil
    spoolsChanged = false
    status.update { [sent, lastCommit, idlePosition] status in
      status.phase = full.map { .diskFull(since: $0) } ?? .streaming
      status.sent = max(status.sent, sent)
      status.received = max(status.received, max(lastCommit, idlePosition))
      status.lastCommit = max(status.lastCommit, lastCommit)
      status.transactions &+= added.0
      status.changes &+= added.1
      status.skipped &+= added.2
      (status.openStreams, status.spooledBytes) = open
      if let prepared { status.prepared = prepared }
      if let confirmed { status.confirmed = max(status.confirmed, confirmed) }
    }
  }
}
