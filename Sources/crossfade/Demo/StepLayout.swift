import Operations

/// Where time, name and text of a step stand, and where the text breaks on a narrow terminal.
struct StepLayout {
  /// Columns; nil where nothing breaks.
  let width: Int?

  private static let timeColumns = 7
  private static let stepColumns = 11

  /// The two cells before a step's first line.
  func head(_ elapsed: Duration, _ step: String) -> (time: String, step: String) {
    let tenths = Int64((elapsed / .milliseconds(100)).rounded(.down))
    let time = "\(tenths / 10).\(tenths % 10)s"
    let left = String(repeating: " ", count: max(0, Self.timeColumns - time.count))
    let right = String(repeating: " ", count: max(1, Self.stepColumns - step.count))
    return (left + time + "  ", step + right)
  }

  /// What stands before its further lines.
  var blank: (time: String, step: String) {
    (String(repeating: " ", count: Self.timeColumns + 2), String(repeating: " ", count: Self.stepColumns))
  }

  /// The text in lines that fit; a word that is longer than a line stands alone on one.
  ///
  /// - Parameter indent: columns that are taken already.
  func lines(_ text: String, indent: Int = timeColumns + 2 + stepColumns) -> [String] {
    guard let width else { return [text] }
    let room = max(20, width - indent)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > room {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [line]
  }
}
