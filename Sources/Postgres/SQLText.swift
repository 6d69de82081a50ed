/// Names and values as SQL text, for commands that take no parameters.
public enum SQLText {
  /// A name in double quotes.
  public static func identifier(_ name: String) -> String {
    quoted(name, "\"")
  }

  /// A value in single quotes (`standard_conforming_strings` is on).
  public static func literal(_ value: String) -> String {
    value.utf8.contains(UInt8(ascii: "\\"))
      ? " E" + quoted(value, "'", escapingBackslash: true) : quoted(value, "'")
  }

  private static func quoted(_ text: String, _ quote: Character, escapingBackslash: Bool = false) -> String {
    var result = String(quote)
    for character in text.unicodeScalars {
      // A zero byte cannot stand in a statement; the server would see its end there.
      if character.value == 0 { continue }
      result.unicodeScalars.append(character)
      if Character(character) == quote || (escapingBackslash && character == "\\") {
        result.unicodeScalars.append(character)
      }
    }
    return result + String(quote)
  }
}
