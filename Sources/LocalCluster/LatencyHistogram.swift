/// Durations in microseconds, counted in buckets of fixed number and growing width.
///
/// Below 64 us each value has its own bucket; above, every power of two is split into 32, so a value is told with an
/// error of at most one part in 32. Eleven days and more share the last bucket. Memory: nine KiB, whatever is recorded.
public struct LatencyHistogram: Hashable, Sendable {
  private static let exact = 64
  private static let split = 32
  private static let highestPower = 39
  private static let bucketCount = exact + (highestPower - 5) * split

  private var buckets = [UInt64](repeating: 0, count: bucketCount)
  /// How many durations were recorded.
  public private(set) var count: UInt64 = 0
  /// The longest, exactly; zero when nothing was recorded. A difference of two histograms gives it to a bucket's width.
  public private(set) var max_us: UInt64 = 0

  /// An empty histogram.
  public init() {}

  /// Counts one duration.
  public mutating func record(_ duration_us: UInt64) {
    buckets[Self.bucket(of: duration_us)] += 1
    count += 1
    max_us = max(max_us, duration_us)
  }

  /// Counts one duration; a negative one counts as zero.
  public mutating func record(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return record(0) }
    let whole = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
    record(whole.overflow ? .max : whole.partialValue &+ UInt64(attoseconds) / 1_000_000_000_000)
  }

  /// The duration that a share of all did not exceed: the upper edge of its bucket, in microseconds; zero when empty.
  ///
  /// - Parameter share: 0.5 for the median, 0.99 for the 99th percentile.
  public func quantile_us(_ share: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = min(count, max(1, UInt64((Double(count) * min(max(share, 0), 1)).rounded(.up))))
    var seen: UInt64 = 0
    for (index, number) in buckets.enumerated() {
      seen += number
      if seen >= rank { return min(Self.upperEdge(of: index), max_us) }
    }
    return max_us
  }

  /// Adds what another histogram counted.
  public mutating func merge(_ other: LatencyHistogram) {
    for index in buckets.indices { buckets[index] += other.buckets[index] }
    count += other.count
    max_us = max(max_us, other.max_us)
  }

  /// What was recorded since `earlier`, an older state of this histogram.
  public func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
    var difference = LatencyHistogram()
    for index in buckets.indices where buckets[index] > earlier.buckets[index] {
      let number = buckets[index] - earlier.buckets[index]
      difference.buckets[index] = number
      difference.count += number
      difference.max_us = min(Self.upperEdge(of: index), max_us)
    }
    return difference
  }

  private static func bucket(of value: UInt64) -> Int {
    guard value >= UInt64(exact) else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    guard power < highestPower + 1 else { return bucketCount - 1 }
    return exact + (power - 6) * split + Int(value >> UInt64(power - 5)) - split
  }

  private static func upperEdge(of index: Int) -> UInt64 {
    guard index >= exact else { return UInt64(index) }
    guard index < bucketCount - 1 else { return .max }
    let power = (index - exact) / split + 6
    let part = (index - exact) % split + split
    return (UInt64(part + 1) << UInt64(power - 5)) - 1
  }
}
