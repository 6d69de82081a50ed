// `datetime.c EncodeDateOnly` and `EncodeDateTime` with ISO style: the first and the last integer are the infinities,
// trailing zeros of the fraction go, and years before 1 are counted backwards with BC at the very end.
extension BinaryForm {
  static func append(days: Int32, to utf8: inout [UInt8]) {
    switch days {
    case .max: utf8.append(contentsOf: "infinity".utf8)
    case .min: utf8.append(contentsOf: "-infinity".utf8)
    default:
      let isBeforeChrist = append(daysSince2000: Int64(days), to: &utf8)
      if isBeforeChrist { utf8.append(contentsOf: " BC".utf8) }
    }
  }

  static func append(microseconds: Int64, withZone: Bool, to utf8: inout [UInt8]) {
    switch microseconds {
    case .max:
      utf8.append(contentsOf: "infinity".utf8)
      return
    case .min:
      utf8.append(contentsOf: "-infinity".utf8)
      return
    default: break
    }
    let perDay: Int64 = 86_400_000_000
    var (days, rest) = microseconds.quotientAndRemainder(dividingBy: perDay)
    if rest < 0 {
      rest += perDay
      days -= 1
    }
    let isBeforeChrist = append(daysSince2000: days, to: &utf8)
    let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
    for (mark, value) in [
      (UInt8(ascii: " "), seconds / 3600), (UInt8(ascii: ":"), seconds / 60 % 60),
      (UInt8(ascii: ":"), seconds % 60),
    ] {
      utf8.append(mark)
      Timestamp.append(value, width: 2, to: &utf8)
    }
    if fraction > 0 {
      utf8.append(UInt8(ascii: "."))
      Timestamp.append(fraction, width: 6, to: &utf8)
      while utf8.last == UInt8(ascii: "0") { utf8.removeLast() }
    }
    if withZone { utf8.append(contentsOf: "+00".utf8) }
    if isBeforeChrist { utf8.append(contentsOf: " BC".utf8) }
  }

  /// Answers whether the year is one before 1.
  private static func append(daysSince2000 days: Int64, to utf8: inout [UInt8]) -> Bool {
    let (year, month, day) = Timestamp.civil(daysSince2000: days)
    Timestamp.append(year > 0 ? year : 1 - year, width: 4, to: &utf8)
    for value in [month, day] {
      utf8.append(UInt8(ascii: "-"))
      Timestamp.append(value, width: 2, to: &utf8)
    }
    return year <= 0
  }
}
