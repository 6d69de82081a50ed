import Derivation

/// A JSON object of texts, nulls and lists of texts: nothing deeper, nothing else. Bytes that are no UTF-8 stay as they are.
struct FlatObject: Hashable {
  private enum Value: Hashable {
    case null
    case text(ExactText)
    case list([ExactText])
  }

  /// Most members, and most texts in a list.
  static let limit = 64

  private var members: [ExactText: Value] = [:]

  /// Reads an object; nil when it is anything else.
  init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    guard reader.take("{") else { return nil }
    if !reader.take("}") {
      repeat {
        guard members.count < Self.limit, let name = reader.text(), reader.take(":"),
          let value = reader.value(), members.updateValue(value, forKey: name) == nil
        else { return nil }
      } while reader.take(",")
      guard reader.take("}") else { return nil }
    }
    guard reader.isAtEnd else { return nil }
  }

  /// A member that is a text.
  func text(_ name: String) -> ExactText? {
    if case .text(let text)? = members[ExactText(name)] { text } else { nil }
  }

  /// A member that is a list.
  func texts(_ name: String) -> [ExactText]? {
    if case .list(let texts)? = members[ExactText(name)] { texts } else { nil }
  }

  /// Goes through the bytes, blanks before each token included.
  private struct Reader {
    let bytes: [UInt8]
    var place = 0

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    var isAtEnd: Bool {
      mutating get {
        skipBlanks()
        return next == nil
      }
    }

    private mutating func skipBlanks() {
      while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { place += 1 }
    }

    /// Whether this stands next; then it is passed.
    mutating func take(_ token: StaticString) -> Bool {
      skipBlanks()
      let wanted = token.withUTF8Buffer { Array($0) }
      guard bytes.count - place >= wanted.count, bytes[place..<(place + wanted.count)].elementsEqual(wanted)
      else { return false }
      place += wanted.count
      return true
    }

    mutating func value() -> Value? {
      if take("null") { return .null }
      guard take("[") else { return text().map { .text($0) } }
      if take("]") { return .list([]) }
      var texts: [ExactText] = []
      repeat {
        guard texts.count < FlatObject.limit, let text = text() else { return nil }
        texts.append(text)
      } while take(",")
      return take("]") ? .list(texts) : nil
    }

    mutating func text() -> ExactText? {
      guard take("\"") else { return nil }
      var text: [UInt8] = []
      while let byte = next {
        place += 1
        switch byte {
        case UInt8(ascii: "\""): return ExactText(bytes: text)
        case UInt8(ascii: "\\"): guard escape(into: &text) else { return nil }
        case 0..<0x20: return nil
        default: text.append(byte)
        }
      }
      return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
      guard let byte = next else { return false }
      place += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"):
        // PostgreSQL writes control characters so, and nothing else: no halves of a pair.
        guard let unit = hex(), let scalar = Unicode.Scalar(unit) else { return false }
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
      default: return false
      }
      return true
    }

    private mutating func hex() -> UInt32? {
      var unit: UInt32 = 0
      for _ in 0..<4 {
        guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
        unit = unit << 4 | UInt32(digit)
        place += 1
      }
      return unit
    }
  }
}
