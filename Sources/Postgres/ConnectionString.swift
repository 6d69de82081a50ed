import CLibPQ

/// What we need to know of a connection string ourselves; the rest is libpq's.
enum ConnectionString {
  struct Given {
    var connectTimeoutMilliseconds: Int?
    var options: String
  }

  /// Checks the string with libpq's own parser. Its messages quote parts of the string, which may be a password, so
  /// what stands between quotes is taken out.
  static func parse(_ string: String) throws(PostgresError) -> Given {
    var message: UnsafeMutablePointer<CChar>?
    guard let parsed = PQconninfoParse(string, &message) else {
      let text = message.map { String(cString: $0).trimmedLines } ?? "out of memory"
      PQfreemem(message)
      throw .invalidConnectionString(reason: withoutQuoted(text))
    }
    defer { PQconninfoFree(parsed) }
    try checkCredentials(string)
    var given = Given(connectTimeoutMilliseconds: nil, options: "")
    var option = parsed
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        switch String(cString: keyword) {
        case "connect_timeout":
          // Seconds; libpq takes anything below two as two, zero and less as "no limit" (fe-connect.c).
          if let seconds = Int(String(cString: value)) {
            given.connectTimeoutMilliseconds = seconds <= 0 ? 86_400_000 : min(max(2, seconds), 86_400) * 1000
          }
        case "options": given.options = String(cString: value)
        default: break
        }
      }
      option += 1
    }
    return given
  }

  /// `-c name=value` is split at spaces, with a backslash before those that are meant (postgres.c).
  static func escapeOption(_ value: String) -> String {
    var escaped = ""
    for character in value {
      if character == " " || character == "\\" { escaped.append("\\") }
      escaped.append(character)
    }
    return escaped
  }

  /// A password with `@` or `/` in a URI is cut there by libpq, which takes the rest for a host, port or database and
  /// shows it in its errors.
  private static func checkCredentials(_ string: String) throws(PostgresError) {
    guard
      let scheme = ["postgresql://", "postgres://"].first(where: { string.hasPrefix($0) })
    else { return }
    let uri = string.dropFirst(scheme.count).prefix { $0 != "?" }
    let escape = "write @ as %40, / as %2F and : as %3A in a user name, password or database"
    guard let at = uri.firstIndex(of: "@") else { return }
    if uri[..<at].contains("/") {
      throw .invalidConnectionString(reason: "its URI has a / before the @; \(escape)")
    }
    if uri[at...].dropFirst().contains("@") {
      throw .invalidConnectionString(reason: "its URI has more than one @; \(escape)")
    }
  }

  /// Without everything from the first quote to the last: what is quoted may hold quotes itself.
  static func withoutQuoted(_ text: String) -> String {
    guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\"") else { return text }
    return text[..<first] + "\"...\"" + (first == last ? "" : text[text.index(after: last)...])
  }
}
