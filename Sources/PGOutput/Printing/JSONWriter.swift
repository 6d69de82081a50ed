/// Writes JSON (RFC 8259) as bytes, strictly escaped, in the order given.
public struct JSONWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// An empty writer.
  public init() {}

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// What stands between two documents, as it is: a new line, say. No comma comes after it.
  public mutating func between(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    needsComma = false
  }

  /// A value that is JSON already.
  public mutating func value(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
    needsComma = true
  }

  /// `{`
  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  /// `}`
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  /// `[`
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  /// `]`
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// A member's name; its value comes next.
  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A string.
  public mutating func string(_ value: String) {
    separate()
    quote(value)
    needsComma = true
  }

  /// A whole number.
  public mutating func integer(_ value: some BinaryInteger) { literal(String(value)) }

  /// `true` or `false`.
  public mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }

  /// `null`
  public mutating func null() { literal("null") }

  /// Bytes as text where they are UTF-8, else as `{"base64": ...}`: nothing is replaced or lost.
  public mutating func text(_ value: RawSpan) {
    guard (try? UTF8Span(validating: value.octets)) != nil else { return base64(value) }
    separate()
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for index in 0..<value.byteCount where Self.needsEscape(value.byte(at: index)) {
      bytes.append(value.extracting(start..<index))
      escape(value.byte(at: index))
      start = index + 1
    }
    bytes.append(value.extracting(start..<value.byteCount))
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// `{"base64": ...}`, with padding (RFC 4648, section 4).
  public mutating func base64(_ value: RawSpan) {
    beginObject()
    key("base64")
    bytes.append(UInt8(ascii: "\""))
    for start in stride(from: 0, to: value.byteCount, by: 3) {
      let count = min(3, value.byteCount - start)
      var group: UInt32 = 0
      for index in 0..<3 {
        group = group << 8 | (index < count ? UInt32(value.byte(at: start + index)) : 0)
      }
      for index in 0..<4 {
        let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * index)) & 0x3F
        bytes.append(index <= count ? Self.base64Digit(sextet) : UInt8(ascii: "="))
      }
    }
    bytes.append(UInt8(ascii: "\""))
    endObject()
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func literal(_ value: String) {
    separate()
    bytes.append(contentsOf: value.utf8)
    needsComma = true
  }

  private mutating func quote(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      if Self.needsEscape(byte) { escape(byte) } else { bytes.append(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x00..<0x20:
      bytes.append(contentsOf: "u00".utf8)
      for nibble in [byte >> 4, byte & 0xF] {
        bytes.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
      }
    default: bytes.append(byte)
    }
  }

  private static func base64Digit(_ sextet: UInt8) -> UInt8 {
    switch sextet {
    case 0..<26: UInt8(ascii: "A") + sextet
    case 26..<52: UInt8(ascii: "a") + sextet - 26
    case 52..<62: UInt8(ascii: "0") + sextet - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }
}
