/// A position in the write-ahead log: a byte offset, printed as PostgreSQL prints it.
///
/// Only commit end LSNs are ordered and unique (`pgoutput-facts`, "Only commit end_lsns are ordered");
/// the LSN of a row change is neither, and is never compared.
public struct LSN: RawRepresentable, Hashable, Comparable, Sendable {
  /// The byte offset in the log.
  public let rawValue: UInt64

  /// An LSN from its byte offset.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// `0/0`, which PostgreSQL calls invalid: "no position".
  public static let invalid = LSN(rawValue: 0)

  /// Whether this is a position at all.
  public var isValid: Bool { rawValue != 0 }

  /// Bytes from `other` up to here; zero when `other` is ahead.
  public func bytes(since other: LSN) -> UInt64 {
    rawValue > other.rawValue ? rawValue - other.rawValue : 0
  }

  /// Whether `a` stands before `b` in the log.
  public static func < (a: LSN, b: LSN) -> Bool { a.rawValue < b.rawValue }
}

extension LSN: LosslessStringConvertible {
  /// Reads PostgreSQL's form: one to eight hex digits, a slash, one to eight hex digits
  /// (`pg_lsn.c pg_lsn_in_internal`).
  public init?(_ description: String) {
    let halves = description.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard halves.count == 2,
      let high = Self.hexadecimal(halves[0]), let low = Self.hexadecimal(halves[1])
    else { return nil }
    self.init(rawValue: UInt64(high) << 32 | UInt64(low))
  }

  /// PostgreSQL's form: `16/B374D848`.
  public var description: String {
    let high = String(rawValue >> 32, radix: 16, uppercase: true)
    let low = String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    return "\(high)/\(low)"
  }

  private static func hexadecimal(_ digits: Substring.UTF8View) -> UInt32? {
    guard (1...8).contains(digits.count) else { return nil }
    var value: UInt32 = 0
    for digit in digits {
      let nibble: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
      case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit - UInt8(ascii: "A") + 10
      case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      value = value << 4 | UInt32(nibble)
    }
    return value
  }
}
