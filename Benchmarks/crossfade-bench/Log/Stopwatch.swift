import Glibc

/// What a piece of work in this process took.
struct Stopwatch {
  /// Wall time in seconds.
  let seconds: Double
  /// User and system time of the process in seconds.
  let processor: Double

  /// Times a piece of work.
  static func time<Value>(_ work: () throws -> Value) rethrows -> (Value, Stopwatch) {
    let (wall, processor) = (now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID))
    let value = try work()
    return (
      value,
      Stopwatch(
        seconds: now(CLOCK_MONOTONIC) - wall, processor: now(CLOCK_PROCESS_CPUTIME_ID) - processor)
    )
  }

  /// Times a piece of work that suspends.
  static func time<Value>(_ work: () async throws -> Value) async rethrows -> (Value, Stopwatch) {
    let (wall, processor) = (now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID))
    let value = try await work()
    return (
      value,
      Stopwatch(
        seconds: now(CLOCK_MONOTONIC) - wall, processor: now(CLOCK_PROCESS_CPUTIME_ID) - processor)
    )
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
