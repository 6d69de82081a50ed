import PGOutput

/// How long to wait for the stream: as long as it moves, and then `limit` from its last move. A value.
struct Patience {
  private let limit: Duration
  private var applied = LSN.invalid
  private var moved: ContinuousClock.Instant
  /// A stream that once stood still for too long is not waited for again before it moves.
  private var isSpent = false

  init(limit: Duration, now: ContinuousClock.Instant = .now) {
    self.limit = limit
    moved = now
  }

  /// Takes in up to where everything is applied. Says whether to go on waiting.
  mutating func waits(applied position: LSN, now: ContinuousClock.Instant = .now) -> Bool {
    if position > applied {
      applied = position
      moved = now
      isSpent = false
    }
    if now - moved >= limit { isSpent = true }
    return !isSpent
  }

  /// A wait begins: time in which nobody waited does not count.
  mutating func begin(now: ContinuousClock.Instant = .now) {
    if !isSpent { moved = now }
  }
}
