/// Why a state map cannot be derived from, or not back.
public enum StateMapProblem: Hashable, Sendable {
  /// A row without an id: what it stands for cannot be written. `row` counts from 0.
  case nullID(row: Int, status: ExactText?)
  /// A row without a code. `row` counts from 0.
  case nullCode(row: Int, id: ExactText?)
  /// An id that stands for more than one status: the way back would lose one of them.
  case duplicateID(ExactText, rows: [Int], statuses: [ExactText?])
  /// A code that more than one row bears.
  case duplicateCode(ExactText, rows: [Int])
  /// A status that more than one row maps: which id it gets would be chance.
  case duplicateStatus(ExactText?, rows: [Int], ids: [ExactText?])
  /// A status that the ledger holds and no row maps; with the mapped one that only looks the same, if any.
  case unmapped(ExactText?, lookalike: ExactText?)

  /// The rows at fault, counted from 0; empty where no row is.
  public var rows: [Int] {
    switch self {
    case .nullID(let row, _), .nullCode(let row, _): [row]
    case .duplicateID(_, let rows, _), .duplicateCode(_, let rows), .duplicateStatus(_, let rows, _): rows
    case .unmapped: []
    }
  }
}

extension StateMapProblem: CustomStringConvertible {
  /// The problem in a sentence.
  public var description: String {
    switch self {
    case .nullID(_, let status): "status \(Self.shown(status)) has no id"
    case .nullCode(_, let id): "id \(Self.shown(id)) has no code"
    case .duplicateID(let id, _, let statuses):
      "id \(Self.shown(id)) stands for \(Self.shown(statuses)): going back would lose all but one"
    case .duplicateCode(let code, let rows): "code \(Self.shown(code)) is given to \(rows.count) states"
    case .duplicateStatus(let status, _, let ids): "status \(Self.shown(status)) maps to \(Self.shown(ids))"
    case .unmapped(let status, nil): "status \(Self.shown(status)) is not in the map"
    case .unmapped(let status, let lookalike?):
      "status \(Self.shown(status)) is not in the map; \(Self.shown(lookalike)) is, and differs in its bytes"
    }
  }

  private static func shown(_ values: [ExactText?]) -> String { values.map(shown).joined(separator: " and ") }

  /// A value that shows its spaces and control characters; SQL NULL as a word without quotes.
  private static func shown(_ value: ExactText?) -> String {
    guard let value else { return "NULL" }
    return Echo.quoted(value.string)
  }
}
