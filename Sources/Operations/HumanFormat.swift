/// Numbers as people read them. Everything is rounded half away from zero, in integers where it can be.
public enum HumanFormat {
  /// A count with a comma between thousands: `1,000,000`.
  public static func count(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var result = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return result
  }

  /// A size in the binary unit that leaves one to four digits before the point: `512 B`, `1.5 KiB`, `64.0 MiB`.
  public static func bytes(_ value: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard value >= 1_024 else { return "\(value) B" }
    var shift: UInt64 = 10
    var unit = 0
    // 1023.95 KiB would round to 1024.0: that is shown as 1.0 MiB.
    while unit + 1 < units.count, tenths(value, shift) >= 10_240 {
      shift += 10
      unit += 1
    }
    let rounded = tenths(value, shift)
    return "\(rounded / 10).\(rounded % 10) \(units[unit])"
  }

  /// A rate of things a second: `950/s`, `12,345/s`, below ten with a fraction: `0.3/s`.
  public static func rate(_ perSecond: Double) -> String {
    guard perSecond.isFinite, perSecond >= 0 else { return "-" }
    if perSecond >= 9.95 || perSecond == 0 {
      return perSecond < 1e18 ? "\(count(Int64(perSecond.rounded())))/s" : "-"
    }
    return "\(fixed(perSecond, decimals: 1))/s"
  }

  /// A rate of bytes a second: `12.3 MiB/s`.
  public static func byteRate(_ perSecond: Double) -> String {
    guard perSecond.isFinite, perSecond >= 0, perSecond < 1e19 else { return "-" }
    return "\(bytes(UInt64(perSecond.rounded())))/s"
  }

  /// A duration in its two largest units, or with a fraction below a minute: `850 us`, `1.23 ms`, `45.6 s`,
  /// `3m 05s`, `2h 07m`, `4d 03h`.
  public static func duration(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else {
      return "-" + self.duration(.zero - max(duration, .seconds(-Int64.max)))
    }
    if seconds < 60 { return short(Double(seconds) + Double(attoseconds) / 1e18) ?? "1m 00s" }
    return units(attoseconds >= 500_000_000_000_000_000 ? seconds + 1 : seconds)
  }

  /// A time that is left, which must not flicker in fractions: rounded up to whole seconds. `5 s`, `3m 05s`.
  public static func wholeSeconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let whole = attoseconds > 0 ? seconds + 1 : seconds
    return whole < 60 ? "\(whole) s" : units(whole)
  }

  /// A part of a whole in percent: `45.3%`. It is `100.0%` only when nothing is missing, and `0.0%` only when
  /// there is nothing yet.
  public static func percentage(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "-" }
    if part >= whole { return "100.0%" }
    let permille = Double(part) / Double(whole) * 1_000
    let shown = min(999, max(part == 0 ? 0 : 1, Int(permille.rounded())))
    return "\(shown / 10).\(shown % 10)%"
  }

  /// A number with this many digits (0 to 9) behind the point.
  static func fixed(_ value: Double, decimals: Int) -> String {
    let scale = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000]
    guard scale.indices.contains(decimals), value.isFinite, abs(value) < 1e9 else { return "-" }
    let scaled = Int64((abs(value) * Double(scale[decimals])).rounded())
    let fraction = String(scaled % Int64(scale[decimals]))
    let sign = value < 0 && scaled != 0 ? "-" : ""
    let whole = "\(sign)\(scaled / Int64(scale[decimals]))"
    guard decimals > 0 else { return whole }
    return whole + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// Three digits and a unit below a minute; nil when rounding reaches it.
  private static func short(_ seconds: Double) -> String? {
    if seconds == 0 { return "0 s" }
    for (scale, unit) in [(1e6, "us"), (1e3, "ms"), (1, "s")] {
      let value = seconds * scale
      let limit = unit == "s" ? 60.0 : 1_000
      let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
      let text = fixed(value, decimals: unit == "us" ? 0 : decimals)
      let rounds = unit == "us" ? value >= 999.5 : value >= limit - (unit == "s" ? 0.05 : 0.5)
      if !rounds { return "\(text) \(unit)" }
    }
    return nil
  }

  private static func tenths(_ value: UInt64, _ shift: UInt64) -> UInt64 {
    let whole = value >> shift
    let rest = value & ((1 << shift) - 1)
    // Twenty times the rest does not fit in 64 bits from 2^60 on; its low bits no longer matter there.
    let fraction = shift >= 60 ? ((rest >> 4) * 20) >> (shift - 4) : (rest * 20) >> shift
    return whole * 10 + (fraction + 1) / 2
  }

  /// The two largest units of a minute or more.
  private static func units(_ seconds: Int64) -> String {
    switch seconds {
    case ..<3_600: "\(seconds / 60)m \(twoDigits(seconds % 60))s"
    case ..<86_400: "\(seconds / 3_600)h \(twoDigits(seconds / 60 % 60))m"
    default: "\(seconds / 86_400)d \(twoDigits(seconds / 3_600 % 24))h"
    }
  }

  private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
