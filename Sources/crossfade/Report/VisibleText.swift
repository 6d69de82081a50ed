/// Text from outside made safe to be read: what is invisible, or turns the direction of writing, is shown by its code point, so
/// that two names that differ look different and none can rearrange the line it stands in.
enum VisibleText {
  /// - Parameter keepsLines: leaves line feeds and tabs as they are.
  static func make(_ text: String, keepsLines: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if keepsLines, scalar == "\n" || scalar == "\t" {
        result.unicodeScalars.append(scalar)
      } else if isInvisible(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        result += "<U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ">"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    // Controls, formats (the marks that turn the direction among them), private use, unassigned, separators of lines.
    case .control, .format, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .surrogate: true
    case .spaceSeparator: scalar != " "
    default: false
    }
  }
}
