/// Where a backfill's time went, in milliseconds, over all its runs.
public struct BackfillClocks: Sendable, Equatable {
  /// Working: statements under way.
  public var active: Double
  /// Held or slowed down by signals, or resting as the definition says.
  public var throttled: Double
  /// Paused by an operator.
  public var paused: Double
  /// Waiting for its window.
  public var shut: Double

  /// What the time went into.
  public enum Kind: Sendable, Equatable {
    /// Statements.
    case active
    /// Signals and rests.
    case throttled
    /// An operator.
    case paused
    /// The hours.
    case shut
  }

  /// Clocks as they were recorded.
  public init(active: Double = 0, throttled: Double = 0, paused: Double = 0, shut: Double = 0) {
    self.active = active
    self.throttled = throttled
    self.paused = paused
    self.shut = shut
  }

  /// So much more time of a kind.
  public mutating func add(_ milliseconds: Double, _ kind: Kind) {
    guard milliseconds.isFinite, milliseconds > 0 else { return }
    switch kind {
    case .active: active += milliseconds
    case .throttled: throttled += milliseconds
    case .paused: paused += milliseconds
    case .shut: shut += milliseconds
    }
  }

  /// All of it: the time that a backfill was running, whatever it did.
  public var wall: Double { active + throttled + paused + shut }

  /// The share of the time it was allowed to work in that it worked; nil before there was any.
  public var duty: Double? {
    let allowed = active + throttled
    return allowed > 0 ? active / allowed : nil
  }
}
