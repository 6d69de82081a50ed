import ChangeLog

/// A row to derive again, and the last change of it that was read.
struct RepairRow: Hashable {
  var key: RowKey
  var position: Position
}

/// Rows to derive again in one commit, gathered from events. A value.
struct RepairBatch {
  /// The rows, each once, in the order in which they came.
  private(set) var rows: [RepairRow] = []
  private var places: [RowKey: Int] = [:]
  /// Changes taken in.
  private(set) var changes = 0
  /// The last change taken in; nil when there is none.
  private(set) var position: Position?
  /// Gaps crossed.
  private(set) var gaps: [LogGap] = []

  /// Their keys.
  var keys: [RowKey] { rows.map(\.key) }

  var isEmpty: Bool { position == nil && gaps.isEmpty }

  /// Takes an event in: the rows it leaves are to be derived again; those that went have nothing to derive.
  mutating func add(_ event: RowEvent) {
    changes += 1
    position = event.position
    guard let key = event.key, event.status != nil else { return }
    if let place = places[key] {
      rows[place].position = event.position
    } else {
      places[key] = rows.count
      rows.append(RepairRow(key: key, position: event.position))
    }
  }

  mutating func add(_ gap: LogGap) { gaps.append(gap) }
}

extension LogGap {
  /// The gap as it is recorded.
  var json: String {
    let next = next.map { "\"\($0)\"" } ?? "null"
    return
      "{\"after\": \"\(after)\", \"next\": \(next), \"file\": \(Self.quoted(file)), \"byte\": \(offset), "
      + "\"reason\": \(Self.quoted(reason))}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\0"..."\u{1F}": result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
