/// Texts in Python's source.
enum PythonText {
  /// A string literal: in the quotes that the text does not hold, or, where it has several lines, between three.
  static func literal(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\r", with: "\\r")
    if text.contains("\n") { return "\"\"\"\(escaped.replacing("\"", with: "\\\""))\"\"\"" }
    if !text.contains("\"") { return "\"\(escaped)\"" }
    return text.contains("'") ? "\"\(escaped.replacing("\"", with: "\\\""))\"" : "'\(escaped)'"
  }

  /// A statement for `op.execute`, which takes `:name` for a parameter (`sqlalchemy.text`); a backslash keeps the colon.
  static func statement(_ sql: String) -> String {
    var text = ""
    var previous: Unicode.Scalar = " "
    let scalars = Array(sql.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      let next = index + 1 < scalars.count ? scalars[index + 1] : " "
      if scalar == ":", isWord(next), previous != ":", previous != "\\", !isWord(previous) {
        text.unicodeScalars.append("\\")
      }
      text.unicodeScalars.append(scalar)
      previous = scalar
    }
    return literal(text)
  }

  /// A comment's text, on its one line.
  static func comment(_ text: String) -> String { text.replacing("\n", with: " ").replacing("\r", with: " ") }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }
}
