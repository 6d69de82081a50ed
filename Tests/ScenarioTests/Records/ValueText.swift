/// Values as one can write them beside SQL, unmistakable and short.
enum ValueText {
  private static let longest = 60

  /// A text: bare where nothing can be mistaken, else in quotes; what is no printable character as `<hex>`. A long
  /// one that repeats is shown as `'xy'*500`, any other by its beginning and length.
  static func text(_ bytes: [UInt8]) -> String {
    guard bytes.count > longest else { return short(bytes) }
    if let period = period(of: bytes) {
      return quoted(bytes[..<period]) + "*\(bytes.count / period)"
    }
    return quoted(bytes[..<20]) + "...[\(bytes.count)]"
  }

  /// A binary value: `b:` and its bytes in hex.
  static func binary(_ bytes: [UInt8]) -> String {
    if bytes.count > longest, let period = period(of: bytes) {
      return "b:" + bytes[..<period].map(hex).joined() + "*\(bytes.count / period)"
    }
    return "b:" + bytes.map(hex).joined()
  }

  private static func short(_ bytes: [UInt8]) -> String {
    let isPlain =
      !bytes.isEmpty
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
          UInt8(ascii: "+"), UInt8(ascii: ":"):
          true
        default: false
        }
      }
    if isPlain, bytes != Array("NULL".utf8) { return String(decoding: bytes, as: UTF8.self) }
    return quoted(bytes[...])
  }

  private static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    var text = "'"
    var rest = bytes
    while let byte = rest.first {
      if byte < 0x80 {
        rest.removeFirst()
        switch byte {
        case UInt8(ascii: "'"): text += "''"
        case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
        default: text += "<\(hex(byte))>"
        }
        continue
      }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
      if let character = String(validating: rest.prefix(length), as: UTF8.self) {
        text += character
        rest.removeFirst(min(length, rest.count))
      } else {
        text += "<\(hex(byte))>"
        rest.removeFirst()
      }
    }
    return text + "'"
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count < 2 ? "0" + digits : digits
  }

  private static func period(of bytes: [UInt8]) -> Int? {
    (1...32).first { period in
      bytes.count % period == 0 && bytes.count >= 3 * period
        && zip(bytes, bytes.dropFirst(period)).allSatisfy { $0 == $1 }
    }
  }
}
