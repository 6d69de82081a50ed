/// When work is allowed: days of the week, a span of their hours, and the time zone it is meant in.
///
/// A span that ends before it begins goes past midnight, and belongs to the day on which it begins.
public struct MaintenanceWindow: Hashable, Sendable {
  /// The days on which it begins, 1 (Monday) to 7.
  public var days: Set<Int>
  /// Its first minute of the day.
  public var begins: Int
  /// The minute of the day at which it is over, 1 to 1440.
  public var ends: Int
  /// The time zone, as PostgreSQL knows it.
  public var zone: String

  /// The names of the days, Monday first.
  public static let dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  /// Reads `22:00-05:00`, `Mon-Fri 22:00-05:00` or `Sat,Sun 00:00-24:00 Europe/Berlin`; nil on anything else. Without
  /// days it is every day, without a zone UTC.
  public init?(_ text: String) {
    var parts = text.split(separator: " ").map(String.init)
    guard (1...3).contains(parts.count) else { return nil }
    var days = Set(1...7)
    if let first = parts.first, first.first?.isLetter == true {
      guard let read = Self.days(first) else { return nil }
      days = read
      parts.removeFirst()
    }
    guard let hours = parts.first, let span = Self.span(hours), parts.count <= 2 else { return nil }
    self.days = days
    (begins, ends) = span
    zone = parts.count == 2 ? parts[1] : "UTC"
  }

  /// Whether it is open at a moment of its zone.
  public func isOpen(day: Int, minute: Int) -> Bool {
    if begins < ends { return days.contains(day) && begins <= minute && minute < ends }
    let before = day == 1 ? 7 : day - 1
    return (days.contains(day) && begins <= minute) || (days.contains(before) && minute < ends)
  }

  /// The day on which it opens next after a moment at which it is shut.
  public func opens(afterDay day: Int, minute: Int) -> Int? {
    for distance in 0...7 {
      let candidate = (day - 1 + distance) % 7 + 1
      if days.contains(candidate), distance > 0 || minute < begins { return candidate }
    }
    return nil
  }

  /// A moment of the day: `22:00`.
  public static func clock(_ minute: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minute / 60)):\(two(minute % 60))"
  }

  private static func days(_ text: String) -> Set<Int>? {
    var days: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { name in
        dayNames.firstIndex(of: String(name)).map { $0 + 1 }
      }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2 else { return nil }
      // Fri-Mon goes over the week's end.
      var day = first
      days.insert(day)
      while day != last {
        day = day % 7 + 1
        days.insert(day)
      }
    }
    return days
  }

  private static func span(_ text: String) -> (Int, Int)? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { minute($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first < 1440, last > 0, first != last
    else { return nil }
    return (first, last)
  }

  private static func minute(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { ("0"..."9").contains($0) } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60
    else { return nil }
    let all = hour * 60 + minute
    return all <= 1440 ? all : nil
  }
}

extension MaintenanceWindow: CustomStringConvertible {
  /// As it is written, with its zone.
  public var description: String {
    let names = days.sorted().map { Self.dayNames[($0 - 1) % 7] }
    let when = days.count == 7 ? "daily" : names.joined(separator: ",")
    return "\(when) \(Self.clock(begins))-\(Self.clock(ends)) \(zone)"
  }
}
