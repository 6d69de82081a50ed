// `numeric.c numeric_send`: count of digits, weight of the first, sign, digits shown after the point, then the digits to
// the base 10,000.
extension BinaryForm {
  private static let base: UInt16 = 10_000

  static func appendNumeric(_ value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    guard value.byteCount >= 8 else { return false }
    let count = Int(value.bigEndian(at: 0, as: UInt16.self))
    let weight = Int(value.bigEndian(at: 2, as: Int16.self))
    let scale = Int(value.bigEndian(at: 6, as: UInt16.self) & 0x3FFF)
    guard value.byteCount == 8 + 2 * count else { return false }
    for index in 0..<count where value.bigEndian(at: 8 + 2 * index, as: UInt16.self) >= base {
      return false
    }
    switch value.bigEndian(at: 4, as: UInt16.self) {
    case 0: break
    case 0x4000: utf8.append(UInt8(ascii: "-"))
    case 0xC000:
      utf8.append(contentsOf: "NaN".utf8)
      return true
    case 0xD000:
      utf8.append(contentsOf: "Infinity".utf8)
      return true
    case 0xF000:
      utf8.append(contentsOf: "-Infinity".utf8)
      return true
    default: return false
    }
    func digit(_ index: Int) -> Int64 {
      index >= 0 && index < count ? Int64(value.bigEndian(at: 8 + 2 * index, as: UInt16.self)) : 0
    }
    if weight < 0 {
      utf8.append(UInt8(ascii: "0"))
    } else {
      for index in 0...weight { Timestamp.append(digit(index), width: index == 0 ? 1 : 4, to: &utf8) }
    }
    guard scale > 0 else { return true }
    utf8.append(UInt8(ascii: "."))
    let end = utf8.count + scale
    var index = weight + 1
    while utf8.count < end {
      Timestamp.append(digit(index), width: 4, to: &utf8)
      index += 1
    }
    utf8.removeLast(utf8.count - end)
    return true
  }
}
