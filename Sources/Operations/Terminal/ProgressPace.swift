/// Decides when a state of progress is shown, and how: in place, several times a second, on a terminal that
/// rewrites lines; as a line of its own, every few seconds, everywhere else. Time is told to it.
public struct ProgressPace: Sendable {
  /// What to do with a state of progress.
  public enum Output: Hashable, Sendable {
    /// Nothing: the last one was shown just now.
    case none
    /// Put this in the place of the status line.
    case status(String)
    /// Write this as a line of its own.
    case line(String)
  }

  private let terminal: Terminal
  private let interval: Duration
  private var next: Duration?
  private var lastLine: String?

  /// A pace for a terminal.
  ///
  /// - Parameters:
  ///   - terminal: Where it is shown.
  ///   - lineInterval: The time between two lines where nothing is rewritten.
  ///   - statusInterval: The time between two versions of the status line.
  public init(
    terminal: Terminal, lineInterval: Duration = .seconds(5), statusInterval: Duration = .milliseconds(100)
  ) {
    self.terminal = terminal
    interval = terminal.rewritesLines ? statusInterval : lineInterval
  }

  /// What to do with `progress` at `now` (since any fixed moment; it never goes back). The first state is shown at
  /// once.
  public mutating func update(_ progress: Progress, now: Duration) -> Output {
    if let next, now < next { return .none }
    next = now + interval
    return shown(progress)
  }

  /// What to do with the last state: it is written as a line that stays, unless it stands there already.
  public mutating func finish(_ progress: Progress) -> Output {
    let line = progress.line(width: nil)
    guard line != lastLine else { return .none }
    lastLine = line
    return .line(line)
  }

  private mutating func shown(_ progress: Progress) -> Output {
    // The last column stays free: a character in it would make some terminals wrap.
    if terminal.rewritesLines { return .status(progress.line(width: terminal.width - 1)) }
    let line = progress.line(width: nil)
    lastLine = line
    return .line(line)
  }
}

extension LineSink {
  /// Does what a pace decided. A line that stays takes the status line's place.
  public func show(_ output: ProgressPace.Output) {
    switch output {
    case .none: break
    case .status(let line): show(status: line)
    case .line(let line):
      show(status: nil)
      write(line: line)
    }
  }
}
