/// The rate of a count that only grows, over the last seconds. Time is told to it.
public struct RateMeter: Sendable {
  private let window: Duration
  private var samples: [(time: Duration, count: UInt64)] = []

  /// A meter over a window; a shorter one follows faster and jumps more.
  public init(window: Duration = .seconds(10)) {
    self.window = window
  }

  /// Takes a reading. A count that went back, or a time, begins a new measurement.
  public mutating func record(_ count: UInt64, at time: Duration) {
    if let last = samples.last {
      if count < last.count || time < last.time {
        samples.removeAll()
      } else if time == last.time {
        samples.removeLast()
      }
    }
    samples.append((time, count))
    // One reading older than the window is kept, so that the window is covered; and never more than 256 of them.
    while samples.count > 2, samples[1].time <= time - window { samples.removeFirst() }
    if samples.count > 256 {
      samples = samples.enumerated().filter { $0.offset.isMultiple(of: 2) || $0.offset == samples.count - 1 }
        .map(\.element)
    }
  }

  /// How much a second; nil before the second reading.
  public var perSecond: Double? {
    guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
    return Double(last.count - first.count) / ((last.time - first.time) / .seconds(1))
  }
}
