/// Splits a name as SQL writes it (`public.transactions`, `"My Schema"."T"`) at its dots.
enum SQLNameParts {
  /// The parts, quotes taken off.
  static func split(_ text: String) throws(Identifier.Problem) -> [Identifier] {
    if text.utf8.contains(0) { throw .containsNUL }
    var parts: [Identifier] = []
    var rest = text.unicodeScalars[...]
    while true {
      let isQuoted = rest.first == "\""
      let part = isQuoted ? try takeQuoted(&rest) : try takePlain(&rest)
      parts.append(try Identifier(part))
      guard let next = rest.first else { return parts }
      guard next == "." else { throw .trailing(Character(next)) }
      rest.removeFirst()
    }
  }

  /// Whether a name reads the same without double quotes (scan.l: `ident_start`, `ident_cont`).
  static func isPlain(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, isStart(first) else { return false }
    return name.unicodeScalars.allSatisfy(isContinuation)
  }

  private static func takeQuoted(_ rest: inout Substring.UnicodeScalarView) throws(Identifier.Problem)
    -> String
  {
    rest.removeFirst()
    var name = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      if scalar == "\"" {
        guard rest.first == "\"" else { return String(name) }
        rest.removeFirst()
      }
      name.append(scalar)
    }
    throw .unclosedQuote
  }

  private static func takePlain(_ rest: inout Substring.UnicodeScalarView) throws(Identifier.Problem)
    -> String
  {
    var name = String.UnicodeScalarView()
    while let scalar = rest.first, scalar != "." {
      if ("A"..."Z").contains(scalar) { throw .unquotedCapitals }
      guard name.isEmpty ? isStart(scalar) : isContinuation(scalar) else {
        throw .needsQuotes(Character(scalar))
      }
      name.append(scalar)
      rest.removeFirst()
    }
    return String(name)
  }

  private static func isStart(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || scalar == "_" || scalar.value >= 0x80
  }

  private static func isContinuation(_ scalar: Unicode.Scalar) -> Bool {
    isStart(scalar) || ("0"..."9").contains(scalar) || scalar == "$"
  }
}
