import Derivation
import Glibc
import PGOutput
import Postgres

/// Everything small that is read from text: what is read prints itself and is read again as the same.
enum TextFuzz {
  /// The first byte chooses the reader, the rest is the text.
  static func check(_ bytes: [UInt8]) throws(Finding) {
    guard let choice = bytes.first else { return }
    let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    switch choice % 9 {
    case 0: try lsn(text)
    case 1: try again(text) { Milliseconds($0) }
    case 2: try again(text) { ByteCount($0) }
    case 3: try names(text)
    case 4: try ConnectionFuzz.check(text)
    case 5: try timestamp(Array(bytes.dropFirst()))
    case 6: try sql(text)
    case 7: try timeline(text)
    default: try ConnectionFuzz.check("postgresql://" + text)
    }
  }

  private static func again<Value: LosslessStringConvertible & Equatable>(
    _ text: String, _ read: (String) -> Value?
  ) throws(Finding) {
    guard let value = read(text) else { return }
    try require(read(value.description) == value, "\(text) is \(value), which reads as another")
  }

  private static func lsn(_ text: String) throws(Finding) {
    try again(text) { LSN($0) }
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    let isOne =
      halves.count == 2
      && halves.allSatisfy { half in
        (1...8).contains(half.utf8.count)
          && half.utf8.allSatisfy { isxdigit(Int32($0)) != 0 && $0 < 0x80 }
      }
    try require((LSN(text) != nil) == isOne, "\(text) is\(isOne ? "" : " not") an LSN")
    guard let lsn = LSN(text), let high = UInt64(halves[0], radix: 16), let low = UInt64(halves[1], radix: 16)
    else { return }
    try require(lsn.rawValue == high << 32 + low, "\(text) is read as \(lsn)")
  }

  private static func timeline(_ text: String) throws(Finding) {
    guard let history = try? TimelineHistory(timeline: 9, file: text) else { return }
    let numbers = history.ancestors.map(\.timeline)
    try require(
      zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 } && numbers.allSatisfy { (1..<9).contains($0) },
      "timelines \(numbers)")
    let again = history.ancestors.map { "\($0.timeline)\t\($0.end)\treason\n" }.joined()
    try require((try? TimelineHistory(timeline: 9, file: again)) == history, "\(again) is another history")
  }

  private static func names(_ text: String) throws(Finding) {
    if let name = try? Identifier(text) {
      try require((try? Identifier(sql: name.quoted)) == name, "\(name.quoted) reads as another name")
      try require((try? Identifier(sql: name.description)) == name, "\(name) reads as another name")
    }
    if let name = try? QualifiedName(sql: text) {
      try require((try? QualifiedName(sql: name.quoted)) == name, "\(name.quoted) reads as another name")
      try require((try? QualifiedName(sql: name.description)) == name, "\(name) reads as another name")
    }
  }

  /// Against the C library's calendar.
  private static func timestamp(_ bytes: [UInt8]) throws(Finding) {
    var source = ByteSource(bytes)
    let raw = (0..<8).reduce(Int64(0)) { value, _ in value << 8 | Int64(source.byte()) }
    let moment = Timestamp(rawValue: raw)
    let text = moment.description
    let (whole, rest) = raw.quotientAndRemainder(dividingBy: 1_000_000)
    let microseconds = rest < 0 ? rest + 1_000_000 : rest
    var seconds = Int(whole) + 946_684_800 - (rest < 0 ? 1 : 0)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ value: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
    }
    let year = Int(parts.tm_year) + 1900
    let yearText = (0...9999).contains(year) ? digits(year, 4) : (year < 0 ? "-" : "+") + digits(abs(year), 6)
    let expected =
      "\(yearText)-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))T"
      + "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
      + ".\(digits(Int(microseconds), 6))Z"
    try require(text == expected, "\(raw) is printed as \(text), not \(expected)")
    let unix = moment.unixMicroseconds
    if unix != .max {
      try require(Timestamp(unixMicroseconds: unix) == moment, "\(raw) is another moment since 1970")
    }
  }

  /// Quoted text, read as PostgreSQL's scanner reads it, is the text without its NULs.
  private static func sql(_ text: String) throws(Finding) {
    let expected = text.unicodeScalars.filter { $0.value != 0 }
    let identifier = SQLText.identifier(text).unicodeScalars
    try require(
      unquoted(identifier, "\"", backslash: false) == Array(expected), "\(String(identifier)) is another name"
    )
    var literal = Array(SQLText.literal(text).unicodeScalars)
    let isExtended = literal.starts(with: " E".unicodeScalars)
    if isExtended { literal.removeFirst(2) }
    try require(
      unquoted(literal, "'", backslash: isExtended) == Array(expected),
      "\(SQLText.literal(text)) is another value")
    try require(isExtended || !expected.contains("\\"), "a backslash in a string without E")
  }

  private static func unquoted(
    _ text: some Collection<Unicode.Scalar>, _ quote: Unicode.Scalar, backslash: Bool
  ) -> [Unicode.Scalar]? {
    var rest = Array(text)[...]
    guard rest.popFirst() == quote else { return nil }
    var value: [Unicode.Scalar] = []
    while let scalar = rest.popFirst() {
      if scalar == quote {
        guard rest.first == quote else { return rest.isEmpty ? value : nil }
        rest.removeFirst()
      } else if backslash, scalar == "\\" {
        guard rest.popFirst() == "\\" else { return nil }
      }
      value.append(scalar)
    }
    return nil
  }
}
