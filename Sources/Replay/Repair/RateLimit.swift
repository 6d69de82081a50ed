/// Keeps a count at so many a second, over the whole of its time. A value; time is told to it, in nanoseconds.
struct RateLimit {
  private let perSecond: UInt64?
  private let start: UInt64
  private var count: UInt64 = 0

  /// - Parameter perSecond: nil for no limit.
  init(perSecond: Int?, start: UInt64) {
    self.perSecond = perSecond.map { UInt64(max(1, $0)) }
    self.start = start
  }

  /// Counts `number` more, and tells how many milliseconds must pass before the next.
  mutating func pause(after number: Int, now: UInt64) -> Int {
    guard let perSecond else { return 0 }
    count &+= UInt64(max(0, number))
    let due = Double(count) / Double(perSecond) * 1000
    let passed = Double(now > start ? now - start : 0) / 1_000_000
    return due > passed ? Int((due - passed).rounded(.up)) : 0
  }
}
