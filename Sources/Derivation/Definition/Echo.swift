/// How a value from the file is shown again in a message: in backquotes, on one line, not too long, and not at
/// all when it may hold a secret that slipped into the wrong place.
enum Echo {
  static func quoted(_ text: String) -> String {
    let lowered = text.lowercased()
    if ["://", "password", "passwd", "secret"].contains(where: { lowered.contains($0) }) { return "`***`" }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(60) {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .format:
        shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: shown.append(scalar)
      }
    }
    let cut = text.unicodeScalars.count > 60 ? "..." : ""
    return "`\(String(shown))\(cut)`"
  }

  /// As `quoted`, without the backquotes: for paths.
  static func name(_ text: String) -> String { String(quoted(text).dropFirst().dropLast()) }

  /// Names in backquotes, joined by commas, in the order given.
  static func list(_ names: [String]) -> String {
    names.map { "`\($0)`" }.joined(separator: ", ")
  }
}
