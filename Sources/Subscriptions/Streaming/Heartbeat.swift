/// When a stream is due a sign of life: after so long without anything else, whatever passes by in the log meanwhile.
struct Heartbeat: Sendable {
  let interval: Duration
  private(set) var due: ContinuousClock.Instant

  init(_ interval: Duration, from now: ContinuousClock.Instant = .now) {
    self.interval = interval
    due = now + interval
  }

  /// Something was sent.
  mutating func sent(at now: ContinuousClock.Instant = .now) { due = now + interval }

  func isDue(at now: ContinuousClock.Instant = .now) -> Bool { now >= due }
}
