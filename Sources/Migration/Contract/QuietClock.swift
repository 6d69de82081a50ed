/// How long a kind of write has not been seen. A value; times are the server's, in seconds since 1970.
///
/// Only what the dual-write has seen counts: a stream that lags, or stands, makes no quiet. And nothing counts before the
/// cutover, when everybody still wrote the old way.
public struct QuietClock: Sendable, Equatable {
  /// How long it must have been, in seconds.
  public var asked: Double
  /// Since when both columns are kept in step; nil before the cutover.
  public var cutover: Double?
  /// When the last such write committed; nil when there was none.
  public var last: Double?
  /// Everything that committed before is seen; nil when nothing is.
  public var seen: Double?

  /// A clock from its times.
  public init(asked: Double, cutover: Double?, last: Double?, seen: Double?) {
    self.asked = asked
    self.cutover = cutover
    self.last = last
    self.seen = seen
  }

  /// Seconds of quiet that were seen; nil before the cutover.
  public var quiet: Double? {
    guard let cutover else { return nil }
    return max(0, (seen ?? 0) - max(cutover, last ?? 0))
  }

  /// Whether it was quiet for long enough.
  public var isReached: Bool { quiet.map { $0 >= asked } ?? false }

  /// Seconds that it must stay quiet yet.
  public var missing: Double { max(0, asked - (quiet ?? 0)) }

  /// Seconds in the two largest units: `23h 10m`, `45 s`.
  public static func text(_ seconds: Double) -> String {
    let whole = Int64(max(0, min(seconds, 1e12)))
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return switch whole {
    case ..<60: "\(whole) s"
    case ..<3_600: "\(whole / 60)m \(two(whole % 60))s"
    case ..<86_400: "\(whole / 3_600)h \(two(whole / 60 % 60))m"
    default: "\(whole / 86_400)d \(two(whole / 3_600 % 24))h"
    }
  }
}
