import Foundation
import Migration
import Operations
import Synchronization

/// Shows a backfill's progress on standard error.
final class BackfillDisplay: Sendable {
  private struct State {
    var pace: ProgressPace
    var rate = RateMeter()
  }

  private let state: Mutex<State>
  private let start = ContinuousClock.now

  init() {
    let terminal = Terminal(
      fileDescriptor: STDERR_FILENO, environment: ProcessInfo.processInfo.environment)
    state = Mutex(State(pace: ProgressPace(terminal: terminal)))
  }

  func show(_ progress: BackfillProgress) {
    let now = ContinuousClock.now - start
    LineSink.standardError.show(
      state.withLock { state in
        state.rate.record(UInt64(clamping: progress.rows), at: now)
        return state.pace.update(Self.line(progress, state.rate.perSecond), now: now)
      })
  }

  func finish(_ progress: BackfillProgress) {
    LineSink.standardError.show(
      state.withLock { state in state.pace.finish(Self.line(progress, state.rate.perSecond)) })
  }

  /// The expected count is an estimate: it never makes less than what is done.
  private static func line(_ progress: BackfillProgress, _ rate: Double?) -> Operations.Progress {
    let done = UInt64(clamping: progress.rows)
    let total = progress.finished ? done : max(done, UInt64(clamping: progress.expected))
    return Operations.Progress(
      title: "backfill", done: done, total: total > 0 ? total : nil, unit: "rows", rate: rate,
      note: progress.finished ? "" : "(of an estimate)")
  }
}
