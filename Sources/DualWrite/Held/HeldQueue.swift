/// When, and for which of the locked rows, it is worth to stand in the queue: nothing else is written meanwhile, so the longer it was
/// in vain the rarer. A value; times are told to it.
struct HeldQueue {
  private var nextTry: ContinuousClock.Instant?
  private var interval = Self.first
  private var turn = 0

  static let first = Duration.seconds(1)
  static let last = Duration.seconds(60)

  /// How long to stand in it, in milliseconds: others are there, too.
  static func patience(_ lockTimeout: Int) -> Int { min(max(4 * max(0, lockTimeout), 1), 1_000) }

  /// The row to wait for now; nil where it is not time. Each has its turn.
  mutating func next(of keys: [KeyBytes], now: ContinuousClock.Instant) -> KeyBytes? {
    guard !keys.isEmpty else {
      self = HeldQueue()
      return nil
    }
    guard let due = nextTry else {
      nextTry = now + interval
      return nil
    }
    guard now >= due else { return nil }
    interval = min(interval * 2, Self.last)
    nextTry = now + interval
    turn &+= 1
    return keys[turn % keys.count]
  }

  /// It was had.
  mutating func succeeded() { interval = Self.first }
}
