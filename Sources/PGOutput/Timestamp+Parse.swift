extension Timestamp {
  /// Reads ISO 8601: `2026-11-21T10:00:00Z`, with up to six digits behind the second, and `+01:00` for `Z`. A space may
  /// stand for the `T`. Without a zone it is no moment, and nil.
  public init?(iso8601 text: String) {
    var digits = Cursor(rest: text.utf8[...])
    guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2), digits.skip("-"),
      let day = digits.number(2), digits.skip("T") || digits.skip("t") || digits.skip(" "),
      let hour = digits.number(2), digits.skip(":"), let minute = digits.number(2), digits.skip(":"),
      let second = digits.number(2), let fraction = digits.fraction(), let zone = digits.zone(),
      digits.rest.isEmpty, hour < 24, minute < 60, second < 60,
      let days = Self.days(year: year, month: month, day: day)
    else { return nil }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - zone
    self.init(rawValue: seconds * 1_000_000 + fraction)
  }

  /// Days from 2000-01-01 to a date; nil when there is no such date (`civil_from_days` the other way round).
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64? {
    guard (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
    let last: Int64 = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    guard day <= last else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    // 2000-03-01 is day 0 of its era, 60 days after 2000-01-01.
    return (era - 5) * 146_097 + dayOfEra + 60
  }

  private struct Cursor {
    var rest: Substring.UTF8View

    mutating func skip(_ character: Character) -> Bool {
      guard let first = rest.first, first == character.asciiValue else { return false }
      rest = rest.dropFirst()
      return true
    }

    mutating func number(_ width: Int) -> Int64? {
      let digits = rest.prefix(width)
      guard digits.count == width, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
      rest = rest.dropFirst(width)
      return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// Microseconds behind the second.
    mutating func fraction() -> Int64? {
      guard skip(".") else { return 0 }
      let width = rest.prefix { (48...57).contains($0) }.count
      guard (1...6).contains(width), let value = number(width) else { return nil }
      return (width..<6).reduce(value) { product, _ in product * 10 }
    }

    /// Seconds that the zone is ahead of UTC.
    mutating func zone() -> Int64? {
      if skip("Z") || skip("z") { return 0 }
      let isAhead = skip("+")
      guard isAhead || skip("-"), let hours = number(2), hours < 24 else { return nil }
      _ = skip(":")
      guard let minutes = rest.isEmpty ? 0 : number(2), minutes < 60 else { return nil }
      return (isAhead ? 1 : -1) * (hours * 3_600 + minutes * 60)
    }
  }
}
