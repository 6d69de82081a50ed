/// Takes the secrets out of a connection string. What is not known to be harmless counts as a secret, and a
/// string that libpq could not read either is hidden whole.
///
/// The forms are those of libpq's `fe-connect.c` (`conninfo_uri_parse_options`, `conninfo_parse`). It works on
/// scalars, since a combining mark behind a `:` or an `@` makes another character of it, but no other byte.
enum ConnectionRedaction {
  static let mask = "***"

  private typealias Text = Substring.UnicodeScalarView

  static func redact(_ string: String) -> String {
    let scalars = string.unicodeScalars[...]
    for scheme in ["postgresql://", "postgres://"] where scalars.starts(with: scheme.unicodeScalars) {
      return scheme + (uri(scalars.dropFirst(scheme.count)) ?? mask)
    }
    return conninfo(scalars) ?? mask
  }

  private static func uri(_ rest: Text) -> String? {
    // libpq takes what stands before the first `@` for credentials if no `/` comes before it. A second `@` is a
    // mistake in a password, or stands behind the hosts: what it belongs to cannot be told, so nothing is shown.
    let authority = rest.prefix { $0 != "/" }
    var shown = ""
    var tail = rest
    if let at = authority.firstIndex(of: "@") {
      let credentials = rest[..<at]
      let user = credentials.prefix { $0 != ":" }
      guard isOrdinary(user) else { return nil }
      shown = String(user) + (user.endIndex == credentials.endIndex ? "@" : ":\(mask)@")
      tail = rest[rest.index(after: at)...]
    }
    guard !tail.contains("@") else { return nil }
    let question = tail.firstIndex(of: "?") ?? tail.endIndex
    let hosts = tail[..<question].prefix { $0 != "/" }
    guard isOrdinary(tail[..<question]), hosts.split(separator: ",").allSatisfy(isHostAndPort) else {
      return nil
    }
    shown += String(tail[..<question])
    if question < tail.endIndex {
      shown += "?" + parameters(tail[tail.index(after: question)...])
    }
    return shown
  }

  /// Whether nothing stands here that names, hosts and databases are not made of.
  private static func isOrdinary(_ text: Text) -> Bool {
    text.allSatisfy { scalar in
      scalar.value >= 0x80 || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
        || ("0"..."9").contains(scalar) || "-._~%:,[]/+".unicodeScalars.contains(scalar)
    }
  }

  /// A port that is no number may be a password whose host was forgotten.
  private static func isHostAndPort(_ text: Text) -> Bool {
    let afterBracket = text.lastIndex(of: "]").map { text[text.index(after: $0)...] } ?? text
    guard let colon = afterBracket.firstIndex(of: ":") else { return true }
    return afterBracket[afterBracket.index(after: colon)...].allSatisfy { ("0"..."9").contains($0) }
  }

  private static func parameters(_ query: Text) -> String {
    query.split(separator: "&", omittingEmptySubsequences: false).map { parameter in
      guard let equals = parameter.firstIndex(of: "="),
        let key = percentDecoded(parameter[..<equals])
      else { return mask }
      return setting(key, String(parameter[parameter.index(after: equals)...]))
    }.joined(separator: "&")
  }

  private static func percentDecoded(_ text: Text) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(String(text).utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func conninfo(_ string: Text) -> String? {
    var settings: [String] = []
    var rest = string.drop(while: isSpace)
    while !rest.isEmpty {
      let keyword = rest.prefix { $0 != "=" && !isSpace($0) }
      rest = rest[keyword.endIndex...].drop(while: isSpace)
      guard !keyword.isEmpty, rest.popFirst() == "=" else { return nil }
      rest = rest.drop(while: isSpace)
      guard let value = takeValue(&rest) else { return nil }
      settings.append(setting(String(keyword), value))
      rest = rest.drop(while: isSpace)
    }
    return settings.joined(separator: " ")
  }

  /// The value as it is written, quotes and backslashes kept.
  private static func takeValue(_ rest: inout Text) -> String? {
    let whole = rest
    let isQuoted = rest.first == "'"
    if isQuoted { rest.removeFirst() }
    while let scalar = rest.first {
      if !isQuoted, isSpace(scalar) { break }
      rest.removeFirst()
      if isQuoted, scalar == "'" { return String(whole[..<rest.startIndex]) }
      if scalar == "\\" { _ = rest.popFirst() }
    }
    return isQuoted ? nil : String(whole[..<rest.startIndex])
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    " \t\n\r\u{B}\u{C}".unicodeScalars.contains(scalar)
  }

  private static func setting(_ keyword: String, _ value: String) -> String {
    // A database name may be a connection string of its own.
    if LibpqKeyword.harmless.contains(keyword), !value.contains("://"), !value.contains("=") {
      return "\(keyword)=\(value)"
    }
    return LibpqKeyword.secret.contains(keyword) ? "\(keyword)=\(mask)" : mask
  }
}
