/// Durations in microseconds, counted in buckets whose width grows with the value: fixed memory (about 18 KiB)
/// whatever is recorded, and a reading that is at most 1.6 % above the truth.
///
/// Values below 64 are counted exactly. From there each power of two is cut in 64 equal buckets (the scheme of
/// HdrHistogram). What exceeds `maximumValue` (12.7 days) is counted in the last bucket; `maximum` stays exact.
public struct LatencyHistogram: Hashable, Sendable {
  /// The largest value with a bucket of its own kind, in microseconds.
  public static let maximumValue: UInt64 = (1 << 40) - 1

  private static let subBits = 6
  private static let bucketCount = bucket(of: maximumValue) + 1

  private var counts: [UInt64]
  /// How many values were recorded.
  public private(set) var count: UInt64 = 0
  /// The largest value recorded, in microseconds; zero when there is none.
  public private(set) var maximum: UInt64 = 0
  /// The smallest value recorded, in microseconds; zero when there is none.
  public private(set) var minimum: UInt64 = 0
  private var sum: Double = 0

  /// An empty histogram.
  public init() {
    counts = Array(repeating: 0, count: Self.bucketCount)
  }

  /// Counts one value in microseconds.
  public mutating func record(microseconds value: UInt64) {
    counts[Self.bucket(of: min(value, Self.maximumValue))] += 1
    minimum = count == 0 ? value : min(minimum, value)
    maximum = max(maximum, value)
    count += 1
    sum += Double(value)
  }

  /// Counts one duration, cut to whole microseconds; a negative one counts as zero.
  public mutating func record(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return record(microseconds: 0) }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
    let (total, carry) = scaled.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000_000)
    record(microseconds: overflow || carry ? .max : total)
  }

  /// Adds everything another histogram counted.
  public mutating func merge(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    for index in counts.indices { counts[index] += other.counts[index] }
    minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    count += other.count
    sum += other.sum
  }

  /// The mean in microseconds; nil when nothing was recorded.
  public var mean: Double? { count == 0 ? nil : sum / Double(count) }

  /// The value in microseconds that `percent` (0 to 100) of the values do not exceed: the upper edge of the bucket
  /// where it lies, and never above `maximum`. Nil when nothing was recorded.
  public func percentile(_ percent: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let share = min(100, max(0, percent.isNaN ? 100 : percent)) / 100
    let rank = max(1, (share * Double(count)).rounded(.up))
    var seen: UInt64 = 0
    for (index, inBucket) in counts.enumerated() {
      seen += inBucket
      if inBucket > 0, Double(seen) >= rank {
        return index == Self.bucketCount - 1 ? maximum : min(Self.upperEdge(of: index), maximum)
      }
    }
    return maximum
  }

  /// The median in microseconds.
  public var p50: UInt64? { percentile(50) }
  /// The 99th percentile in microseconds.
  public var p99: UInt64? { percentile(99) }

  private static func bucket(of value: UInt64) -> Int {
    let magnitude = UInt64.bitWidth - value.leadingZeroBitCount
    guard magnitude > subBits else { return Int(value) }
    let shift = magnitude - subBits - 1
    return ((shift + 1) << subBits) + Int(value >> UInt64(shift)) - (1 << subBits)
  }

  private static func upperEdge(of bucket: Int) -> UInt64 {
    guard bucket >= 1 << subBits else { return UInt64(bucket) }
    let shift = (bucket >> subBits) - 1
    let top = UInt64((bucket & ((1 << subBits) - 1)) + (1 << subBits))
    return ((top + 1) << UInt64(shift)) - 1
  }
}
