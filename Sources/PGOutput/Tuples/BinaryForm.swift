/// A type's binary form that can be turned into its text form: those of the types a key or a status may have.
///
/// The text is what the server would send with `DateStyle` ISO, `TimeZone` UTC and `bytea_output` hex.
public enum BinaryForm: Sendable, Hashable, CaseIterable {
  /// Texts of every kind, and the labels of enums: the bytes are the text.
  case text
  /// `boolean`: a byte.
  case boolean
  /// `"char"`: a byte.
  case character
  /// `smallint`.
  case int16
  /// `integer`.
  case int32
  /// `bigint`.
  case int64
  /// `oid`: unsigned.
  case oid
  /// `uuid`: sixteen bytes.
  case uuid
  /// `bytea`.
  case bytes
  /// `date`: days since 2000-01-01.
  case date
  /// `timestamp`: microseconds since then.
  case timestamp
  /// `timestamptz`: microseconds since then, UTC.
  case timestampWithZone
  /// `numeric`: digits to the base 10,000.
  case numeric

  /// The form of a built-in type (`pg_type.dat`), nil when it is not one of these.
  public init?(builtIn type: TypeOID) {
    switch type.rawValue {
    case 19, 25, 1042, 1043: self = .text
    case 16: self = .boolean
    case 17: self = .bytes
    case 18: self = .character
    case 20: self = .int64
    case 21: self = .int16
    case 23: self = .int32
    case 26: self = .oid
    case 1082: self = .date
    case 1114: self = .timestamp
    case 1184: self = .timestampWithZone
    case 1700: self = .numeric
    case 2950: self = .uuid
    default: return nil
    }
  }

  /// The form that a send function writes (`pg_type.typsend`), nil when it is not one of these. A domain has its base
  /// type's, an enum `enum_send`.
  public init?(sendFunction name: String) {
    switch name {
    case "textsend", "varcharsend", "bpcharsend", "namesend", "enum_send": self = .text
    case "boolsend": self = .boolean
    case "byteasend": self = .bytes
    case "charsend": self = .character
    case "int8send": self = .int64
    case "int2send": self = .int16
    case "int4send": self = .int32
    case "oidsend": self = .oid
    case "date_send": self = .date
    case "timestamp_send": self = .timestamp
    case "timestamptz_send": self = .timestampWithZone
    case "numeric_send": self = .numeric
    case "uuid_send": self = .uuid
    default: return nil
    }
  }

  /// Appends the text form of a value. False, with nothing appended, when the bytes are not of this form.
  public func appendText(of value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    switch self {
    case .text: utf8.append(value)
    case .bytes: Self.appendHex(value, to: &utf8)
    case .numeric: return Self.appendNumeric(value, to: &utf8)
    case .boolean, .character: return appendByte(value, to: &utf8)
    case .uuid: return Self.appendUUID(value, to: &utf8)
    case .int16, .int32, .int64, .oid: return appendInteger(value, to: &utf8)
    case .date, .timestamp, .timestampWithZone: return appendTime(value, to: &utf8)
    }
    return true
  }

  private func appendByte(_ value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    guard value.byteCount == 1 else { return false }
    let byte = value.byte(at: 0)
    if self == .boolean {
      guard byte <= 1 else { return false }
      utf8.append(UInt8(ascii: byte == 1 ? "t" : "f"))
    } else if byte >= 0x80 {
      // char.c charout: a byte that is no character by itself.
      utf8 += [
        UInt8(ascii: "\\"), UInt8(ascii: "0") + byte >> 6, UInt8(ascii: "0") + (byte >> 3 & 7),
        UInt8(ascii: "0") + (byte & 7),
      ]
    } else if byte > 0 {
      utf8.append(byte)
    }
    return true
  }

  private func appendInteger(_ value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    let number: Int64
    switch (self, value.byteCount) {
    case (.int16, 2): number = Int64(value.bigEndian(at: 0, as: Int16.self))
    case (.int32, 4): number = Int64(value.bigEndian(at: 0, as: Int32.self))
    case (.oid, 4): number = Int64(value.bigEndian(at: 0, as: UInt32.self))
    case (.int64, 8): number = value.bigEndian(at: 0, as: Int64.self)
    default: return false
    }
    utf8.append(contentsOf: String(number).utf8)
    return true
  }

  private func appendTime(_ value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    if self == .date {
      guard value.byteCount == 4 else { return false }
      Self.append(days: value.bigEndian(at: 0, as: Int32.self), to: &utf8)
    } else {
      guard value.byteCount == 8 else { return false }
      Self.append(
        microseconds: value.bigEndian(at: 0, as: Int64.self), withZone: self == .timestampWithZone, to: &utf8)
    }
    return true
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  private static func appendHex(_ value: RawSpan, to utf8: inout [UInt8]) {
    utf8 += [UInt8(ascii: "\\"), UInt8(ascii: "x")]
    for offset in 0..<value.byteCount { appendHex(value.byte(at: offset), to: &utf8) }
  }

  private static func appendHex(_ byte: UInt8, to utf8: inout [UInt8]) {
    utf8.append(hexDigits[Int(byte >> 4)])
    utf8.append(hexDigits[Int(byte & 15)])
  }

  private static func appendUUID(_ value: RawSpan, to utf8: inout [UInt8]) -> Bool {
    guard value.byteCount == 16 else { return false }
    for offset in 0..<16 {
      if [4, 6, 8, 10].contains(offset) { utf8.append(UInt8(ascii: "-")) }
      appendHex(value.byte(at: offset), to: &utf8)
    }
    return true
  }
}
