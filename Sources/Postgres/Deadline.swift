import Glibc

/// A moment on the monotonic clock.
public struct Deadline: Sendable, Comparable {
  /// Nanoseconds of CLOCK_MONOTONIC.
  public let nanoseconds: UInt64

  /// A moment from its nanoseconds on CLOCK_MONOTONIC.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// The moment `milliseconds` from now.
  public static func after(milliseconds: Int) -> Deadline {
    Deadline(nanoseconds: now + UInt64(max(0, milliseconds)) * 1_000_000)
  }

  /// CLOCK_MONOTONIC in nanoseconds.
  public static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Whole milliseconds that remain, rounded up, at least 0 and never more than a day.
  public var remainingMilliseconds: Int32 {
    let now = Self.now
    guard nanoseconds > now else { return 0 }
    return Int32(min((nanoseconds - now + 999_999) / 1_000_000, 86_400_000))
  }

  /// Whether it has come.
  public var hasPassed: Bool { Self.now >= nanoseconds }

  /// Earlier is less.
  public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }
}
