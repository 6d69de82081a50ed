import Glibc

/// When the backfill will be done, as a range, and why it moved.
///
/// Two measures are smoothed apart: rows a second of work (half-life 5 minutes), and the share of the time that is worked
/// (half-life 30). An operator's pauses and shut windows are in neither. Time is told to it, in milliseconds.
public struct Forecast: Sendable, Equatable {
  /// A range.
  public struct Range: Sendable, Equatable {
    /// Milliseconds that are left, as likely too short as too long.
    public var median: Double
    /// Milliseconds that it takes if it goes as in its slow stretches.
    public var late: Double
  }

  private var rate: Double?
  private var duty: Double?
  private var last: (rows: Int64, clocks: BackfillClocks)?
  /// Rows a second of allowed time, a value for each half minute.
  private var paces: [Double] = []
  private var window: (rows: Double, milliseconds: Double) = (0, 0)

  private var age = 0.0

  static let youngest = 2_000.0
  static let rateHalfLife = 300_000.0
  static let dutyHalfLife = 1_800_000.0
  static let windowMilliseconds = 30_000.0
  static let windows = 120

  /// Nothing measured yet.
  public init() {}

  /// Equal where they tell the same.
  public static func == (one: Forecast, other: Forecast) -> Bool {
    one.rate == other.rate && one.duty == other.duty && one.paces == other.paces
  }

  /// How far it is now.
  public mutating func record(rows: Int64, clocks: BackfillClocks) {
    defer { last = (rows, clocks) }
    guard let last, rows >= last.rows else { return }
    let active = clocks.active - last.clocks.active
    let throttled = clocks.throttled - last.clocks.throttled
    let done = Double(rows - last.rows)
    age += max(0, active) + max(0, throttled)
    if active > 0 {
      rate = smoothed(rate, done / active * 1000, over: active, halfLife: Self.rateHalfLife)
    }
    let allowed = active + throttled
    guard allowed > 0 else { return }
    duty = smoothed(duty, min(1, active / allowed), over: allowed, halfLife: Self.dutyHalfLife)
    window = (window.rows + done, window.milliseconds + allowed)
    if window.milliseconds >= Self.windowMilliseconds {
      paces.append(window.rows / window.milliseconds * 1000)
      if paces.count > Self.windows { paces.removeFirst() }
      window = (0, 0)
    }
  }

  /// Rows a second of work; nil before anything was measured.
  public var rowsPerActiveSecond: Double? { rate }

  /// The share of the allowed time that is worked.
  public var workedShare: Double? { duty }

  /// The time that is left for so many rows; nil while there is nothing to tell it by.
  public func remaining(rows: Int64) -> Range? {
    guard rows > 0 else { return Range(median: 0, late: 0) }
    guard let rate, let duty, rate * duty > 0 else { return nil }
    let median = Double(rows) / (rate * duty) * 1000
    guard median.isFinite, median < 1e13 else { return nil }
    // Before there are windows to go by, half as much again is as good a guess as any.
    guard paces.count >= 4 else { return Range(median: median, late: median * 1.5) }
    let slow = paces.sorted()[paces.count / 10]
    let late = slow > 0 ? Double(rows) / slow * 1000 : median * 10
    return Range(median: median, late: min(max(late, median), median * 10))
  }

  /// A mean that forgets by half every half-life; the first value stands as it is.
  ///
  /// A young mean forgets faster, by half in a quarter of its age: it begins with small batches.
  private func smoothed(_ old: Double?, _ value: Double, over time: Double, halfLife: Double) -> Double {
    guard let old else { return value }
    let keep = exp2(-time / min(halfLife, max(Self.youngest, age / 4)))
    return old * keep + value * (1 - keep)
  }
}
