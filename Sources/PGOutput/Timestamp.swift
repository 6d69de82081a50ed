/// A moment as PostgreSQL sends it: microseconds since 2000-01-01 00:00 UTC (`TimestampTz`).
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable {
  /// Microseconds since 2000-01-01 00:00 UTC.
  public let rawValue: Int64

  /// A moment from its microseconds since 2000-01-01 00:00 UTC.
  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// Seconds from 1970-01-01 to 2000-01-01, both 00:00 UTC.
  private static let unixEpochSeconds: Int64 = 946_684_800

  /// Microseconds since 1970-01-01 00:00 UTC, held at the ends of what 64 bits can say.
  public var unixMicroseconds: Int64 {
    let (sum, overflow) = rawValue.addingReportingOverflow(Self.unixEpochSeconds * 1_000_000)
    return overflow ? .max : sum
  }

  /// A moment from microseconds since 1970-01-01 00:00 UTC, held at the ends of what 64 bits can say.
  public init(unixMicroseconds: Int64) {
    let (difference, overflow) = unixMicroseconds.subtractingReportingOverflow(
      Self.unixEpochSeconds * 1_000_000)
    self.init(rawValue: overflow ? .min : difference)
  }

  /// Whether `a` is the earlier.
  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.rawValue < b.rawValue }
}

extension Timestamp: CustomStringConvertible {
  /// ISO 8601 with microseconds, UTC: `2026-11-21T10:00:00.123456Z`. Years beyond four digits have a sign and at
  /// least six digits, and the year before 0001 is 0000, as ISO 8601 has it.
  public var description: String {
    var utf8: [UInt8] = []
    utf8.reserveCapacity(27)
    append(to: &utf8)
    return String(decoding: utf8, as: UTF8.self)
  }

  /// Appends `description`'s bytes.
  func append(to utf8: inout [UInt8]) {
    let microsecondsPerDay: Int64 = 86_400_000_000
    var days = rawValue / microsecondsPerDay
    var rest = rawValue % microsecondsPerDay
    if rest < 0 {
      rest += microsecondsPerDay
      days -= 1
    }
    let (year, month, day) = Self.civil(daysSince2000: days)
    Self.append(year: year, to: &utf8)
    let (seconds, microseconds) = rest.quotientAndRemainder(dividingBy: 1_000_000)
    for (mark, value, width) in [
      (UInt8(ascii: "-"), month, 2), (UInt8(ascii: "-"), day, 2), (UInt8(ascii: "T"), seconds / 3600, 2),
      (UInt8(ascii: ":"), seconds / 60 % 60, 2), (UInt8(ascii: ":"), seconds % 60, 2),
      (UInt8(ascii: "."), microseconds, 6),
    ] {
      utf8.append(mark)
      Self.append(value, width: width, to: &utf8)
    }
    utf8.append(UInt8(ascii: "Z"))
  }

  private static func append(year: Int64, to utf8: inout [UInt8]) {
    if (0...9999).contains(year) {
      append(year, width: 4, to: &utf8)
    } else {
      utf8.append(year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
      append(abs(year), width: 6, to: &utf8)
    }
  }

  /// Appends a number that is not negative, with zeros before it up to a width.
  static func append(_ value: Int64, width: Int, to utf8: inout [UInt8]) {
    let digits = String(value)
    for _ in 0..<max(0, width - digits.utf8.count) { utf8.append(UInt8(ascii: "0")) }
    utf8.append(contentsOf: digits.utf8)
  }

  /// The date in the proleptic Gregorian calendar. Counted in eras of 400 years (146,097 days) that begin in
  /// March, so that the leap day is the last of its year; 2000-03-01 begins an era.
  static func civil(daysSince2000 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days - 60
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (2000 + era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }
}
