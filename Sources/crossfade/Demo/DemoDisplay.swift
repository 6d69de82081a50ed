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

  private var layout: StepLayout { StepLayout(width: terminal.isTTY ? terminal.width - 1 : nil) }

  /// A step is done: when, which, and what came of it.
  func done(_ step: String, _ text: String, _ tone: Tone = .step) {
    let layout = layout
    sink.show(status: nil)
    for (number, line) in layout.lines(text).enumerated() {
      let head = number == 0 ? layout.head(elapsed, step) : layout.blank
      sink.write(line: paint(head.time, .aside) + paint(head.step, tone) + line)
    }
    pace.withLock { $0 = ProgressPace(terminal: terminal) }
  }

  /// How far the step under way has come.
  func show(_ progress: Operations.Progress) {
    let elapsed = elapsed
    var progress = progress
    // On a narrow terminal rate and lag matter more than the time.
    if !terminal.rewritesLines || terminal.width >= Self.roomForTime {
      progress.title = layout.head(elapsed, progress.title).time + progress.title
    }
    sink.show(pace.withLock { $0.update(progress, now: elapsed) })
  }

  private static let roomForTime = 110

  /// A step begins, or goes on with something else: on a terminal the living line says so, elsewhere a line of its own.
  func begin(_ step: String, _ text: String) {
    let head = layout.head(elapsed, step)
    let line = head.time + head.step + text + " ..."
    if terminal.rewritesLines {
      sink.show(status: String(line.prefix(max(0, terminal.width - 1))))
    } else {
      sink.write(line: line)
    }
  }

  /// A sentence over the whole width.
  func headline(_ text: String) {
    for line in layout.lines(text, indent: 0) { sink.write(line: paint(line, .aside)) }
  }

  /// Lines without a time: the report.
  func write(_ text: String, _ tone: Tone? = nil) {
    sink.show(status: nil)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      sink.write(line: tone.map { paint(String(line), $0) } ?? String(line))
    }
  }

  /// Takes the living line away.
  func clear() { sink.show(status: nil) }

  /// Says what is under way while `body` runs: once on a pipe, with the time that passes on a terminal.
  func during<Value, Failure: Error>(
    _ step: String, _ text: String, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard terminal.rewritesLines else {
      begin(step, text)
      return try body()
    }
    let line = BusyLine { [self] in begin(step, text) }
    defer { line.end() }
    return try body()
  }

  func paint(_ text: String, _ tone: Tone) -> String {
    guard terminal.usesColor, !text.isEmpty else { return text }
    return "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m"
  }
}
