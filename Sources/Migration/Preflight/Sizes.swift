/// Byte counts in sentences.
enum Sizes {
  /// `1,000,000`.
  static func count(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `512 B`, `1.5 KiB`, `64.0 MiB`: one digit behind the point, cut.
  static func text(_ bytes: UInt64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    guard bytes >= 1024 else { return "\(bytes) B" }
    var unit = 0
    var shift: UInt64 = 10
    while unit + 1 < units.count, bytes >> (shift + 10) > 0 {
      unit += 1
      shift += 10
    }
    let rest = (bytes & (1 << shift - 1)) >> (shift - 10)
    return "\(bytes >> shift).\(rest * 10 / 1024) \(units[unit])"
  }
}
