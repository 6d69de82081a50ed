/// Rows under headings, in columns: texts to the left, numbers to the right.
public struct Table: Hashable, Sendable {
  /// Where the cells of a column stand.
  public enum Alignment: Hashable, Sendable {
    /// For texts.
    case left
    /// For numbers.
    case right
  }

  /// A column's heading and the side its cells stand on.
  public struct Column: Hashable, Sendable {
    /// The heading.
    public var title: String
    /// The side.
    public var alignment: Alignment

    /// A column of texts.
    public static func text(_ title: String) -> Column { Column(title: title, alignment: .left) }
    /// A column of numbers.
    public static func number(_ title: String) -> Column { Column(title: title, alignment: .right) }
  }

  /// The columns, from the left.
  public var columns: [Column]
  /// The rows, each with a cell a column; missing cells are empty, surplus ones are not shown.
  public private(set) var rows: [[String]] = []

  /// A table without rows.
  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row.
  public mutating func append(_ cells: [String]) {
    rows.append(cells)
  }

  /// The table, a line a row, two spaces between columns and none at the ends of lines. Where it would be wider than
  /// `width`, the widest columns of texts are cut; numbers never are. Line breaks and control characters in cells
  /// are written out.
  public func rendered(width: Int? = nil) -> String {
    let lines = ([columns.map(\.title)] + rows).map { cells in
      columns.indices.map { $0 < cells.count ? VisibleText.escaped(cells[$0]) : "" }
    }
    var widths = columns.indices.map { column in lines.map { VisibleText.width($0[column]) }.max() ?? 0 }
    if let width { fit(&widths, into: width) }
    return lines.map { line(of: $0, widths) }.joined(separator: "\n")
  }

  /// Takes columns from the widest text column, one after the other, down to eight each.
  private func fit(_ widths: inout [Int], into width: Int) {
    var surplus = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - width
    while surplus > 0 {
      let texts = columns.indices.filter { columns[$0].alignment == .left && widths[$0] > 8 }
      guard let widest = texts.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
      surplus -= 1
    }
  }

  private func line(of cells: [String], _ widths: [Int]) -> String {
    var line = ""
    var pending = 0
    for column in columns.indices {
      let text = VisibleText.clipped(cells[column], to: widths[column])
      let room = max(0, widths[column] - VisibleText.width(text))
      let isRight = columns[column].alignment == .right
      pending += isRight ? room : 0
      if !text.isEmpty {
        line += String(repeating: " ", count: pending) + text
        pending = 0
      }
      pending += (isRight ? 0 : room) + 2
    }
    return line
  }
}
