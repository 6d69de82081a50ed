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

  static func withoutQuoted(_ text: String) -> String {
    var result = ""
    var quoted = false
    for character in text {
      if character == "\"" {
        result += quoted ? "...\"" : "\""
        quoted.toggle()
      } else if !quoted {
        result.append(character)
      }
    }
    return quoted ? result + "...\"" : result
  }
}
