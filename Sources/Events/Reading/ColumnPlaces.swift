import Derivation
import PGOutput

/// Where a table, as it was described, has the columns that events are made of.
struct ColumnPlaces {
  let relation: Relation
  /// Nil when one of them is missing.
  let key: [Int]?
  /// Whether a row can be followed by its key alone from one change to the next: each that moves a key, or takes it
  /// away, comes with the key it had. Where whole old rows come, there is no need to.
  let tellsRows: Bool
  private let from: Int?
  private let to: Int?
  private let chosen: [Int?]

  init(_ plan: EventPlan, in relation: Relation) {
    self.relation = relation
    let key = plan.derive.key.compactMap { relation.columnIndex(named: $0.name) }
    self.key = key.count == plan.derive.key.count ? key : nil
    tellsRows = relation.replicaIdentity != .full && key.allSatisfy { relation.columns[$0].isKey }
    from = relation.columnIndex(named: plan.derive.from.name)
    to = relation.columnIndex(named: plan.derive.to.name)
    chosen = plan.columns.map { relation.columnIndex(named: $0.name) }
  }

  /// The key in a row; what is not there is taken from `other`.
  func key(_ tuple: TupleView, _ columns: [Int], else other: TupleView?) -> [ExactText]? {
    var values: [ExactText] = []
    values.reserveCapacity(columns.count)
    for column in columns {
      if case .known(let value?) = reading(tuple, column) {
        values.append(value)
      } else if let other, case .known(let value?) = reading(other, column) {
        values.append(value)
      } else {
        return nil
      }
    }
    return values
  }

  /// The two columns that tell the state.
  func pair(_ tuple: TupleView) -> ColumnPair {
    ColumnPair(from: reading(tuple, from), to: reading(tuple, to))
  }

  /// The columns that were chosen.
  func columns(_ tuple: TupleView) -> [ColumnReading] {
    chosen.isEmpty ? [] : chosen.map { reading(tuple, $0) }
  }

  private func reading(_ tuple: TupleView, _ column: Int?) -> ColumnReading {
    guard let column, let value = tuple.column(at: column) else { return .unpublished }
    switch value {
    case .null: return .known(nil)
    case .unchanged: return .unchanged
    case .text(let bytes): return .known(ExactText(bytes: [UInt8](bytes)))
    case .binary(let bytes):
      var text: [UInt8] = []
      guard let form = BinaryForm(builtIn: relation.columns[column].type),
        form.appendText(of: bytes, to: &text)
      else { return .unreadable }
      return .known(ExactText(bytes: text))
    }
  }
}
