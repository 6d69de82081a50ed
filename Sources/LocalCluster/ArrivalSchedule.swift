import Glibc

/// When one writer's next transaction is due: arrivals at random with a fixed mean rate (a Poisson process), which do not
/// wait for answers. Behind schedule, the next is due at once and its delay counts as response time.
struct ArrivalSchedule {
  private let meanGap_s: Double
  private var next: ContinuousClock.Instant
  private var pausesSeen = 0

  init(perSecond: Double, start: ContinuousClock.Instant) {
    meanGap_s = 1 / max(perSecond, 1e-6)
    next = start
  }

  /// The moment the next transaction is due. A pause shifts what was due during it to its end.
  mutating func draw(_ generator: inout SeededGenerator, pauses: Int, now: ContinuousClock.Instant)
    -> ContinuousClock.Instant
  {
    if pauses != pausesSeen {
      pausesSeen = pauses
      next = max(next, now)
    }
    // -ln(1 - u): the gap between two arrivals; u is below one, so this is finite.
    let gap_s = -log(1 - generator.fraction()) * meanGap_s
    next += .nanoseconds(Int64(min(gap_s, 3600) * 1e9))
    return next
  }

  /// Sleeps until `due`, in steps, as long as `goOn` holds.
  static func sleep(until due: ContinuousClock.Instant, while goOn: () -> Bool) {
    while goOn() {
      let left = due - ContinuousClock.now
      guard left > .zero else { return }
      let (seconds, attoseconds) = min(left, .milliseconds(20)).components
      usleep(UInt32(truncatingIfNeeded: seconds * 1_000_000 + attoseconds / 1_000_000_000_000) + 1)
    }
  }
}
