import Foundation
import Migration
import Operations
import Synchronization

/// Shows a verification's progress on standard error.
final class TableVerifyDisplay: Sendable {
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

  func show(_ progress: VerifyProgress) {
    let now = ContinuousClock.now - start
    // What is done within a second needs no line in a file; a terminal takes its line away again.
    guard now > .seconds(1) else { return }
    LineSink.standardError.show(
      state.withLock { state in
        state.rate.record(UInt64(clamping: progress.rows), at: now)
        return state.pace.update(Self.line(progress, state.rate.perSecond), now: now)
      })
  }

  /// Takes the line away: the result follows.
  func clear() { LineSink.standardError.show(status: nil) }

  /// The expected count is an estimate: it never makes less than what is done.
  private static func line(_ progress: VerifyProgress, _ rate: Double?) -> Operations.Progress {
    let done = UInt64(clamping: progress.rows)
    var notes: [String] = []
    if progress.mismatches > 0 { notes.append("\(HumanFormat.count(progress.mismatches)) wrong") }
    if progress.suspects > 0 {
      notes.append(
        "\(HumanFormat.count(progress.suspects)) "
          + (progress.waits ? "wait for the stream" : "to be looked at again"))
    }
    return Operations.Progress(
      title: "verify", done: done, total: progress.expected.map { max(done, UInt64(clamping: $0)) },
      unit: "rows", rate: rate, note: notes.joined(separator: ", "))
  }
}
