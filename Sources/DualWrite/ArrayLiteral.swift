/// A one-dimensional array in PostgreSQL's text form (`arrayfuncs.c array_in`), as bytes that end with zero.
package struct ArrayLiteral {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  package init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Adds an element. Plain ones stand as they are; the others are quoted.
  package mutating func append(_ element: some Collection<UInt8>) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    if Self.isPlain(element) {
      bytes.append(contentsOf: element)
      return
    }
    bytes.append(UInt8(ascii: "\""))
    for byte in element {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Adds NULL.
  package mutating func appendNull() {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    bytes.append(contentsOf: "NULL".utf8)
  }

  /// The literal, closed and terminated.
  package consuming func finish() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    bytes.append(0)
    return bytes
  }

  /// Digits and a sign, or letters that cannot be read as NULL.
  private static func isPlain(_ element: some Collection<UInt8>) -> Bool {
    guard let first = element.first else { return false }
    if first == UInt8(ascii: "n") || first == UInt8(ascii: "N") { return false }
    return element.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        return true
      default: return false
      }
    }
  }
}
