import ChangeLog
import PGOutput

/// Transactions and changes as lines for people. Values are quoted, and control characters in them written out: a line
/// is always one change.
enum ChangeText {
  /// `0/39A6370  2026-11-21T12:31:55.715964Z  xid 745`
  static func heading(_ head: LogTransaction.Head) -> String {
    guard let xid = head.xid, let time = head.commitTime else {
      return "\(head.end)  outside of a transaction"
    }
    let origin = head.origin.map { "  origin \(quoted($0.name))" } ?? ""
    return "\(head.end)  \(time)  xid \(xid)\(origin)"
  }

  /// `0  update  public.transactions  key (id='2')  id='20' status='Settled'`
  static func line(_ change: LogChange) throws(ChangeLogError) -> String {
    var parts = ["\(change.ordinal)", change.kind.rawValue]
    switch change.kind {
    case .insert, .update, .delete:
      parts.append(change.relation?.qualifiedName ?? "")
      try change.withRow { row, relation throws(ChangeLogError) in
        if let old = row.old {
          let name = row.oldKind == .full ? "old" : "key"
          parts.append("\(name) (\(columns(old, relation, keyOnly: row.oldKind == .key)))")
        }
        if let new = row.new { parts.append(columns(new, relation, keyOnly: false)) }
      }
    case .truncate: parts.append(change.truncated.map(\.qualifiedName).joined(separator: ", "))
    case .message:
      try change.withMessage { message throws(ChangeLogError) in
        guard case .message(let message) = message else { return }
        parts.append("\(value(.text(message.prefix))): \(value(.text(message.content)))")
      }
    }
    return parts.joined(separator: "  ")
  }

  private static func columns(_ tuple: TupleView, _ relation: Relation, keyOnly: Bool) -> String {
    var texts: [String] = []
    tuple.forEachColumn { index, value in
      let column = relation.columns[index]
      if !keyOnly || column.isKey { texts.append("\(column.name)=\(self.value(value))") }
    }
    return texts.joined(separator: " ")
  }

  private static func value(_ value: borrowing ColumnValue) -> String {
    switch value {
    case .null: "NULL"
    case .unchanged: "unchanged"
    case .text(let bytes): bytes.utf8String.map(quoted) ?? hexadecimal(bytes)
    case .binary(let bytes): hexadecimal(bytes)
    }
  }

  /// In single quotes, as in SQL, with control characters as `\n` or `\u{1b}`.
  static func quoted(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'": result += "''"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isHidden(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "'"
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format: true
    default: false
    }
  }

  private static func hexadecimal(_ bytes: RawSpan) -> String {
    var result = "\\x"
    for index in 0..<bytes.byteCount {
      let byte = bytes.byte(at: index)
      result += String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
    }
    return result
  }
}
