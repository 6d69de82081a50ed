import PGOutput

/// Rows as words: `INSERT t a=1 b='x y'`, `UPDATE t (a=1) -> a=2 b=~`, `DELETE t [a=1 b=NULL]`.
///
/// In parentheses stands a key, in brackets a whole old row. `~` is an unchanged value that was not sent.
enum RowText {
  static func words(_ row: RowChange, _ table: Relation) -> [String] {
    var words: [String]
    switch row.kind {
    case .insert: words = ["INSERT"]
    case .update: words = ["UPDATE"]
    case .delete: words = ["DELETE"]
    }
    words.append(table.shortName)
    if let old = row.old {
      var cells = cells(old, table, isKey: row.oldKind == .key)
      let (open, close) = row.oldKind == .key ? ("(", ")") : ("[", "]")
      if cells.isEmpty { cells = [""] }
      cells[0] = open + cells[0]
      cells[cells.count - 1] += close
      words += cells
    }
    if let new = row.new {
      if row.old != nil { words.append("->") }
      words += cells(new, table, isKey: false)
    }
    return words
  }

  /// Of a key only its columns; any other that has a value is shown too, as it should not.
  private static func cells(_ tuple: TupleView, _ table: Relation, isKey: Bool) -> [String] {
    var cells: [String] = []
    tuple.forEachColumn { (index, value) in
      guard index < table.columns.count else { return }
      let column = table.columns[index]
      if isKey, !column.isKey, value.isNull { return }
      switch value {
      case .null: cells.append("\(column.name)=NULL")
      case .unchanged: cells.append("\(column.name)=~")
      case .text(let bytes): cells.append("\(column.name)=\(ValueText.text([UInt8](bytes)))")
      case .binary(let bytes): cells.append("\(column.name)=\(ValueText.binary([UInt8](bytes)))")
      }
    }
    return cells
  }
}
