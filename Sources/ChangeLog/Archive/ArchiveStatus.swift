import Glibc
public import PGOutput

/// How archiving stands.
public struct ArchiveStatus: Hashable, Sendable {
  /// Up to where everything is archived, from the first archived segment on; nil when nothing is.
  public var through: LSN?
  /// Segments archived since the start.
  public var archived = 0
  /// Sealed segments that wait for it.
  public var waiting = 0
  /// When the oldest of them was sealed, in seconds since 1970.
  public var waitingSince: Int64?
  /// Failures since the start.
  public var failures = 0
  /// The failure that is being tried again; nil when the last try succeeded.
  public var failing: String?
  /// The last failure, mended or not.
  public var lastFailure: String?
}

/// When a failed segment is tried again: after 1 s, then twice as long each time, up to 60 s, for ever.
struct ArchiveRetry {
  private(set) var failures = 0
  private var due: MonotonicTime?

  private static let longest = 60

  /// How long the wait is after so many failures in a row.
  static func wait(failures: Int) -> Duration { .seconds(min(longest, 1 << min(max(failures - 1, 0), 6))) }

  func isDue() -> Bool { due.map { $0.millisecondsLeft == 0 } ?? true }

  /// Notes a failure; how long to wait now.
  mutating func fail() -> Duration {
    failures += 1
    let wait = Self.wait(failures: failures)
    due = MonotonicTime(after: wait)
    return wait
  }
}
