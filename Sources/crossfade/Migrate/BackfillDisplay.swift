import Foundation
import Migration
import Operations
import Synchronization

/// Shows a backfill's progress on standard error: in place on a terminal; elsewhere a line when it does something else, and from
/// time to time: every second at first, every five seconds in the first three minutes and near the end, then every thirty.
final class BackfillDisplay: Sendable {
  private struct State {
    var pace: ProgressPace
    var shown: Duration?
    var name = ""
    var last: Operations.Progress?
  }

  private let state: Mutex<State>
  private let rewrites: Bool
  private let start = ContinuousClock.now

  init() {
    let terminal = Terminal(
      fileDescriptor: STDERR_FILENO, environment: ProcessInfo.processInfo.environment)
    rewrites = terminal.rewritesLines
    state = Mutex(State(pace: ProgressPace(terminal: terminal, lineInterval: .zero)))
  }

  func show(_ status: BackfillStatus) {
    let now = ContinuousClock.now - start
    let output = state.withLock { state -> ProgressPace.Output in
      let line = Self.line(status)
      state.last = line
      let hasChanged = status.state.name != state.name
      guard rewrites || hasChanged || Self.isDue(now, state.shown, status.remaining?.median) else {
        return .none
      }
      state.name = status.state.name
      state.shown = now
      return state.pace.update(line, now: now)
    }
    LineSink.standardError.show(output)
  }

  func finish(_ progress: BackfillProgress) {
    let done = UInt64(clamping: progress.rows)
    LineSink.standardError.show(
      state.withLock { state in
        state.pace.finish(
          Operations.Progress(
            title: "backfill", done: done, total: done > 0 ? done : nil, unit: "rows", rate: state.last?.rate)
        )
      })
  }

  /// Whether a line is due.
  static func isDue(_ now: Duration, _ shown: Duration?, _ leftMilliseconds: Double?) -> Bool {
    guard let shown else { return true }
    let left = leftMilliseconds.map { $0 / 1000 } ?? .infinity
    let every: Duration =
      now < .seconds(60) || left <= 60
      ? .seconds(1) : now < .seconds(180) || left <= 180 ? .seconds(5) : .seconds(30)
    return now - shown >= every
  }

  /// The expected count is an estimate: it never makes less than what is done.
  static func line(_ status: BackfillStatus) -> Operations.Progress {
    let progress = status.progress
    let done = UInt64(clamping: progress.rows)
    let total = progress.finished ? done : max(done, UInt64(clamping: progress.expected))
    return Operations.Progress(
      title: "backfill", done: done, total: total > 0 ? total : nil, unit: "rows",
      rate: status.rate.map { $0 * (status.workedShare ?? 1) }, note: note(status))
  }

  private static func note(_ status: BackfillStatus) -> String {
    guard !status.isDone else { return "" }
    var parts = ["batch \(status.batch)"]
    parts.append("\(time(status.clocks.active)) at work of \(time(status.clocks.wall))")
    if let remaining = status.remaining { parts.append("p90 \(time(remaining.late))") }
    let reason = status.state.reason.map { ": \($0)" } ?? ""
    if status.state.name != "working" || status.duty < 1 {
      let pace = status.duty < 1 && status.state.name == "working" ? " \(Int(status.duty * 100))%" : ""
      parts.append("\(status.state.name)\(pace)\(reason)")
    }
    if let cause = status.drift?.cause { parts.append(cause) }
    return parts.joined(separator: ", ")
  }

  private static func time(_ milliseconds: Double) -> String {
    HumanFormat.wholeSeconds(.milliseconds(Int64(max(0, min(milliseconds, 1e15)))))
  }
}
