/// How far the expected end has moved, and what moved it.
public struct Drift: Sendable, Equatable {
  /// What was expected at a moment. Times are milliseconds on the clock of the run.
  public struct Mark: Sendable, Equatable {
    /// When.
    public var at: Double
    /// The end that was expected.
    public var end: Double
    /// Where the time had gone.
    public var clocks: BackfillClocks
    /// Rows a second of work.
    public var rate: Double

    /// A mark from its parts.
    public init(at: Double, end: Double, clocks: BackfillClocks, rate: Double) {
      self.at = at
      self.end = end
      self.clocks = clocks
      self.rate = rate
    }
  }

  /// Milliseconds that the end has moved: later when positive.
  public var moved: Double
  /// Milliseconds ago that it was expected otherwise.
  public var since: Double
  /// What moved it, in words; nil where it hardly moved.
  public var cause: String?

  /// The drift between two marks.
  public init(from old: Mark, to new: Mark) {
    moved = new.end - old.end
    since = new.at - old.at
    guard abs(moved) > 60_000 || abs(moved) > 0.05 * max(0, old.end - old.at) else { return }
    let held = new.clocks.throttled - old.clocks.throttled
    let paused = new.clocks.paused - old.clocks.paused
    let shut = new.clocks.shut - old.clocks.shut
    let slower = old.rate > 0 ? (old.rate - new.rate) / old.rate : 0
    if moved > 0 {
      // The causes in the order of what they cost; a slower rate costs its share of what is left.
      let causes = [
        (paused, "it was paused for \(Self.time(paused))"),
        (shut, "its window was shut for \(Self.time(shut))"),
        (held, "signals held it for \(Self.time(held))"),
        (slower * max(0, new.end - new.at), "it does \(Self.percent(slower)) fewer rows a second"),
      ]
      let worst = causes.max { $0.0 < $1.0 }
      cause = worst.flatMap { $0.0 > 0.2 * moved ? $0.1 : "there are more rows than were expected" }
    } else {
      cause =
        slower < -0.05
        ? "it does \(Self.percent(-slower)) more rows a second" : "it is held less than before"
    }
  }

  private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))%" }

  private static func time(_ milliseconds: Double) -> String {
    let seconds = Int((milliseconds / 1000).rounded())
    if seconds < 120 { return "\(seconds) s" }
    return seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h \(seconds / 60 % 60) min"
  }
}

/// What was expected when: the plan's mark, and one a minute of the last hours.
public struct DriftHistory: Sendable, Equatable {
  private var marks: [Drift.Mark] = []
  /// The first that was expected.
  public private(set) var plan: Drift.Mark?

  /// Nothing expected yet.
  public init() {}

  /// What is expected now.
  public mutating func record(_ mark: Drift.Mark) {
    if plan == nil { plan = mark }
    if let last = marks.last, mark.at - last.at < 60_000 { return }
    marks.append(mark)
    if marks.count > 24 * 60 { marks.removeFirst() }
  }

  /// The drift against an hour ago, or against the oldest mark where it runs for less; nil in the first minute.
  public func recent(_ now: Drift.Mark) -> Drift? {
    guard let old = marks.last(where: { now.at - $0.at >= 3_600_000 }) ?? marks.first,
      now.at - old.at >= 60_000
    else { return nil }
    return Drift(from: old, to: now)
  }

  /// The drift against the first that was expected.
  public func againstPlan(_ now: Drift.Mark) -> Drift? { plan.map { Drift(from: $0, to: now) } }
}
