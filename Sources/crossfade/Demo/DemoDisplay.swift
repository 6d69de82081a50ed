import Foundation
import Operations
import Synchronization

/// What the demonstration shows: a line for each step when it is done, and below them, on a terminal, one that lives.
final class DemoDisplay: Sendable {
  /// What a piece of text is, for its colour.
  enum Tone: String {
    case step = "1"
    case aside = "2"
    case good = "32"
    case bad = "31"
  }

  let terminal: Terminal
  private let sink = LineSink(fileDescriptor: STDOUT_FILENO)
  private let start = ContinuousClock.now
  private let pace: Mutex<ProgressPace>

  init() {
    terminal = Terminal(fileDescriptor: STDOUT_FILENO, environment: ProcessInfo.processInfo.environment)
    pace = Mutex(ProgressPace(terminal: terminal))
  }

  /// Since the beginning.
  var elapsed: Duration { ContinuousClock.now - start }

  /// A step is done: when, which, and what came of it.
  func done(_ step: String, _ text: String, _ tone: Tone = .step) {
    let layout = StepLayout(width: terminal.isTTY ? terminal.width - 1 : nil)
    sink.show(status: nil)
    for (number, line) in layout.lines(text).enumerated() {
      let head = number == 0 ? layout.head(elapsed, step) : layout.blank
      sink.write(
        line: paint(head.time, .aside) + paint(head.step, tone) + line)
    }
    pace.withLock { $0 = ProgressPace(terminal: terminal) }
  }

  /// How far the step under way has come.
  func show(_ progress: Operations.Progress) {
    let elapsed = elapsed
    sink.show(pace.withLock { $0.update(progress, now: elapsed) })
  }

  /// Lines without a time: the heading, the report.
  func write(_ text: String, _ tone: Tone? = nil) {
    sink.show(status: nil)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      sink.write(line: tone.map { paint(String(line), $0) } ?? String(line))
    }
  }

  /// Takes the living line away.
  func clear() { sink.show(status: nil) }

  /// Shows that something is under way, and for how long, while `body` runs.
  func during<Value, Failure: Error>(
    _ title: String, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let line = BusyLine { [self] elapsed in
      show(Operations.Progress(title: title, done: UInt64(elapsed / .seconds(1)), unit: "s"))
    }
    defer { line.end() }
    return try body()
  }

  func paint(_ text: String, _ tone: Tone) -> String {
    guard terminal.usesColor, !text.isEmpty else { return text }
    return "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m"
  }
}
