import ChangeLog
import PGOutput
import Postgres

/// The hand-over between the thread that reads the socket and the one that writes the log.
///
/// The reader gathers records and steps; the writer takes whatever has gathered as soon as it has synced what came
/// before. So one fsync covers all that came meanwhile, and nothing waits when nothing is under way.
final class LogFeed: Sendable {
  /// What the writer is given.
  struct Work {
    var steps: [LogStep]
    /// Everything up to here has been received and stands in these steps or before them.
    var watermark: LSN
    /// The connection was lost: cut the log back to the last whole transaction, forget what was streamed.
    var discardPartial: Bool
    /// The server was promoted: what follows is of this timeline.
    var timeline: UInt32?
  }

  private struct State {
    var gathering = Intake()
    var watermark = LSN.invalid
    var discardPartial = false
    var timeline: UInt32?
    /// What has gathered may be taken: set by `submit`, so that a backlog is not synced in crumbs.
    var ready = false
    var closed = false
    var writing = false

    var durable = LSN.invalid
    var notifyAt = LSN.invalid
    var failure: CaptureError?
    var fullSince: UInt64?

    var hasWork: Bool {
      (ready && !gathering.isEmpty) || discardPartial || watermark > durable || timeline != nil
    }
  }

  /// Bytes that may gather while the log is busy; then the socket is left unread.
  static let limit = 1024 * 1024

  private let state: Monitor<State>
  private let interrupt: Interrupt

  /// - Parameter interrupt: nudged when a position asked for has become durable.
  init(durable: LSN, interrupt: Interrupt) {
    var state = State()
    state.durable = durable
    self.state = Monitor(state)
    self.interrupt = interrupt
  }

  // What the reader of the socket calls.

  /// Adds records under the lock; `body` may add many. Gives the bytes now gathered.
  func gather<Failure: Error>(_ body: (Intake) throws(Failure) -> Void) throws(Failure) -> Int {
    try state.withLock { (state) throws(Failure) -> Int in
      try body(state.gathering)
      return state.gathering.byteCount
    }
  }

  /// Gives the writer what has gathered.
  func submit() {
    state.change { $0.ready = true }
  }

  /// Waits until there is room, the log has failed or the deadline has passed. Says whether there is room.
  func waitForRoom(deadline: Deadline) -> Bool {
    state.wait(until: deadline) { state in
      state.gathering.byteCount < Self.limit || state.failure != nil ? true : nil
    } ?? false
  }

  /// Asks for a watermark, once everything gathered up to now is durable.
  func mark(watermark: LSN) {
    state.change { state in
      if watermark > state.watermark { state.watermark = watermark }
    }
  }

  /// Asks for a nudge of the interrupt when this position is durable.
  func notify(at lsn: LSN) {
    state.withLock { state in state.notifyAt = lsn }
  }

  /// The connection was lost: what is whole is written, a torn transaction is cut off, what was streamed of others is
  /// forgotten. Waits for it.
  func settle() throws(CaptureError) -> LSN {
    state.change { state in
      state.discardPartial = true
      state.watermark = .invalid
      state.ready = true
    }
    let outcome = state.wait(until: nil) { state -> Result<LSN, CaptureError>? in
      if let failure = state.failure { return .failure(failure) }
      return !state.hasWork && !state.writing ? .success(state.durable) : nil
    }
    return try outcome?.get() ?? .invalid
  }

  /// The server was promoted: the log goes on in a segment of this timeline. Waits for it.
  func advance(timeline: UInt32) throws(CaptureError) {
    state.change { $0.timeline = timeline }
    _ = try settle()
  }

  /// Everything up to here is durable in the log. Throws when the log has failed for good.
  func durable() throws(CaptureError) -> LSN {
    try state.withLock { (state) throws(CaptureError) -> LSN in
      if let failure = state.failure { throw failure }
      return state.durable
    }
  }

  /// Since when the disk has been full (`Deadline.now`), nil when it is not.
  var fullSince: UInt64? { state.withLock { $0.fullSince } }

  /// Ends the writer once all is written.
  func close() {
    state.change { state in
      state.closed = true
      state.ready = true
    }
  }

  // What the writer calls.

  /// Takes what has gathered; waits for it. Nil when the feed is closed and empty.
  func take() -> Work? {
    let work = state.wait(until: nil) { state -> Work?? in
      guard state.hasWork else { return state.closed ? .some(nil) : nil }
      var work = Work(
        steps: [], watermark: state.watermark, discardPartial: state.discardPartial, timeline: state.timeline)
      if !state.gathering.isEmpty {
        let gathered = state.gathering
        state.gathering = Intake(capacity: max(Intake.initialCapacity, min(gathered.byteCount, Self.limit)))
        work.steps = gathered.finish()
      }
      state.ready = false
      // Where the log is inside a transaction it takes no watermark; that commit then ends past it. Were it kept here,
      // the writer would turn in circles until then.
      state.watermark = .invalid
      state.discardPartial = false
      state.timeline = nil
      state.writing = true
      return .some(work)
    }
    // Room again.
    state.change { _ in }
    return work ?? nil
  }

  /// All up to here is durable.
  func written(durable: LSN) {
    let nudge = state.change { state -> Bool in
      state.durable = max(state.durable, durable)
      state.writing = false
      state.fullSince = nil
      guard state.notifyAt.isValid, state.durable >= state.notifyAt else { return false }
      state.notifyAt = .invalid
      return true
    }
    if nudge { interrupt.nudge() }
  }

  /// The disk is full; the writer keeps trying.
  func full() {
    state.change { state in
      if state.fullSince == nil { state.fullSince = Deadline.now }
    }
  }

  /// The log cannot be written any more.
  func failed(_ error: CaptureError) {
    state.change { state in
      state.failure = error
      state.writing = false
    }
    interrupt.nudge()
  }
}
