import Migration
import Operations

/// Text set for a terminal: lines of its width, words whole, a little emphasis where it can be shown.
struct Page {
  private let width: Int
  private let usesColor: Bool

  init(_ terminal: Terminal) {
    width = min(max(terminal.width, 60), 120)
    usesColor = terminal.usesColor
  }

  /// Kept on one line with what stands around it.
  static let joint = "\u{A0}"

  /// Lines of words, the first indented by `indent`, the others by `hanging`. A word wider than a line has one to itself.
  func wrap(_ text: String, indent: Int, hanging: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: hanging)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return (lines + [line]).map { $0.replacing(Self.joint, with: " ") }
  }

  /// Emphasis (ECMA-48 SGR).
  func strong(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// What matters less.
  func faint(_ text: String) -> String { usesColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  /// A level's word in its colour.
  func mark(_ level: Finding.Level) -> String {
    guard usesColor else { return level.rawValue }
    let color =
      switch level {
      case .pass: 32
      case .warn: 33
      case .fail: 31
      }
    return "\u{1B}[\(color)m\(level.rawValue)\u{1B}[0m"
  }
}
