import ChangeLog
import Foundation
import Operations
import PGOutput
import Replay
import Synchronization

/// The progress of the reading that finds where a range ends that `--to` gives as a time.
final class ReplaySearch {
  private var display: ReplayDisplay?

  func show(_ range: ResolvedRange, _ position: Position, _ changes: UInt64) {
    let display = display ?? ReplayDisplay("find --to", range)
    self.display = display
    display.show(position, changes: changes)
  }

  func finish() { display?.finish() }
}

/// The progress of a replay on standard error, by the WAL that its range spans; nothing of one that is done within a
/// second.
final class ReplayDisplay: Sendable {
  private struct State {
    var pace: ProgressPace
    var rate = RateMeter()
    var last: Operations.Progress?
  }

  private let title: String
  private let range: ResolvedRange
  private let state: Mutex<State>
  private let start = ContinuousClock.now
  private static let unit: UInt64 = 1024

  init(_ title: String, _ range: ResolvedRange) {
    self.title = title
    self.range = range
    let terminal = Terminal(
      fileDescriptor: STDERR_FILENO, environment: ProcessInfo.processInfo.environment)
    state = Mutex(State(pace: ProgressPace(terminal: terminal)))
  }

  func show(_ position: Position, changes: UInt64, note: String = "") {
    let now = ContinuousClock.now - start
    guard now > .seconds(1) else { return }
    let done = position.endLSN.bytes(since: range.after.endLSN) / Self.unit
    // Of a damaged log nobody knows how far it reaches.
    let isKnown = range.through != LSN(rawValue: .max)
    let total = isKnown ? range.through.bytes(since: range.after.endLSN) / Self.unit : nil
    LineSink.standardError.show(
      state.withLock { state in
        state.rate.record(done, at: now)
        let progress = Operations.Progress(
          title: title, done: done, total: total, unit: "KiB of WAL", rate: state.rate.perSecond,
          note: "\(HumanFormat.count(changes)) changes" + (note.isEmpty ? "" : ", \(note)"))
        state.last = progress
        return state.pace.update(progress, now: now)
      })
  }

  func finish() {
    LineSink.standardError.show(
      state.withLock { state in state.last.map { state.pace.finish($0) } ?? .none })
  }
}
