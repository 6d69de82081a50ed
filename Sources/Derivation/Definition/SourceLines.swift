/// The text of a file by lines and columns, both from 1; columns count Unicode scalars, as libYAML's do.
struct SourceLines {
  private var lines: [String.UnicodeScalarView]

  init(_ text: String) {
    lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { .init($0) }
  }

  /// The whole text.
  var text: String { lines.map { String($0) }.joined(separator: "\n") }

  /// Puts `replacement` in the place of `word`, which stands at the position or right behind a quote there.
  /// False, and nothing is done, when it does not.
  mutating func replace(_ word: String, with replacement: String, line: Int, column: Int) -> Bool {
    guard let start = index(line: line, column: column) else { return false }
    var rest = lines[line - 1][start...]
    if let quote = rest.first, quote == "\"" || quote == "'" { rest = rest.dropFirst() }
    guard rest.starts(with: word.unicodeScalars) else { return false }
    let end = lines[line - 1].index(rest.startIndex, offsetBy: word.unicodeScalars.count)
    lines[line - 1].replaceSubrange(rest.startIndex..<end, with: replacement.unicodeScalars)
    return true
  }

  /// The column where `needle` begins in a line, at or behind a column.
  func column(of needle: String, line: Int, from column: Int) -> Int? {
    guard let start = index(line: line, column: column) else { return nil }
    let wanted = Array(needle.unicodeScalars)
    var rest = lines[line - 1][start...]
    var offset = 0
    while !rest.isEmpty {
      if rest.starts(with: wanted) { return column + offset }
      rest.removeFirst()
      offset += 1
    }
    return nil
  }

  /// Where the character with this number stands (characters as Swift counts them, from 0).
  func place(ofCharacter offset: Int) -> Place {
    let before = String(text.prefix(max(0, offset))).unicodeScalars
    let lastBreak = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
    return Place(line: before.count { $0 == "\n" } + 1, column: before[lastBreak...].count + 1)
  }

  private func index(line: Int, column: Int) -> String.UnicodeScalarView.Index? {
    guard lines.indices.contains(line - 1), column >= 1 else { return nil }
    let scalars = lines[line - 1]
    return scalars.index(scalars.startIndex, offsetBy: column - 1, limitedBy: scalars.endIndex)
  }
}
