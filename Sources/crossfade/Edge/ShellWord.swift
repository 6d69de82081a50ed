/// A word as a shell takes it.
enum ShellWord {
  static func of(_ text: String) -> String {
    text.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) }
      ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
