internal import Glibc

/// A moment in UTC to the nanosecond.
public struct UTCInstant: Hashable, Comparable, Sendable {
  /// Whole seconds since 1970-01-01 00:00:00 UTC, without leap seconds.
  public var seconds: Int64
  /// The rest, 0 to 999,999,999.
  public var nanoseconds: Int32

  /// A moment from its parts.
  public init(seconds: Int64, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// What the system's clock shows.
  public static func now() -> UTCInstant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UTCInstant(seconds: Int64(time.tv_sec), nanoseconds: Int32(truncatingIfNeeded: time.tv_nsec))
  }

  /// The earlier first.
  public static func < (a: UTCInstant, b: UTCInstant) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }
}

extension UTCInstant: CustomStringConvertible {
  /// RFC 3339 with milliseconds: `2026-11-21T10:00:00.123Z`. Fractions are cut, not rounded.
  public var description: String {
    let secondsADay: Int64 = 86_400
    let day = Self.floorDivide(seconds, secondsADay)
    let remainder = seconds % secondsADay
    let rest = remainder < 0 ? remainder + secondsADay : remainder
    let (year, month, dayOfMonth) = Self.civil(day)
    let time =
      "\(Self.padded(rest / 3_600, 2)):\(Self.padded(rest / 60 % 60, 2)):\(Self.padded(rest % 60, 2))"
    let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(dayOfMonth, 2))"
    return "\(date)T\(time).\(Self.padded(Int64(nanoseconds) / 1_000_000, 3))Z"
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01: years begin in March, in eras of 400 years
  /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number.magnitude)
    let zeros = String(repeating: "0", count: max(0, width - digits.count))
    return (number < 0 ? "-" : "") + zeros + digits
  }
}
