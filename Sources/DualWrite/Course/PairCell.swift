import PGOutput

/// One column of a pair, read from a row; its bytes are used again for the next row.
struct PairCell: Equatable {
  enum Kind { case unsent, null, value }

  private(set) var kind = Kind.unsent
  /// The text of a value.
  private(set) var bytes: [UInt8] = []

  init() {}

  init(_ value: [UInt8]?) {
    kind = value == nil ? .null : .value
    bytes = value ?? []
  }

  /// The value as it is kept; nil for NULL.
  var value: [UInt8]? { kind == .value ? bytes : nil }

  /// Takes a column in. False when it is in a binary form that cannot be read.
  mutating func read(_ row: TupleView, _ place: Int?, _ form: BinaryForm?) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    kind = .unsent
    guard let place, let column = row.column(at: place) else { return true }
    switch column {
    case .unchanged: return true
    case .null: kind = .null
    case .text(let text):
      kind = .value
      bytes.append(text)
    case .binary(let binary):
      guard let form, form.appendText(of: binary, to: &bytes) else { return false }
      kind = .value
    }
    return true
  }

  static func == (a: PairCell, b: PairCell) -> Bool {
    a.kind == b.kind && (a.kind != .value || a.bytes == b.bytes)
  }
}

/// The two columns of a row before and after a change, read into memory that is used again.
struct PairReader {
  private(set) var from = PairCell()
  private(set) var to = PairCell()
  private var fromBefore = PairCell()
  private var toBefore = PairCell()

  /// The old column's default, where it is a constant.
  var blank: [UInt8]?

  /// The pair as it is kept.
  var pair: PairValues { PairValues(from: from.value, to: to.value) }

  /// Reads a change; nil when a column cannot be read, or is not published.
  ///
  /// - Parameter deleted: the pair of a row that the same transaction deleted under this key.
  mutating func sight(
    _ new: TupleView, before: TupleView?, deleted: PairValues?, isInsert: Bool, _ relation: TrackedRelation,
    _ statuses: StatusSet
  ) -> Sight? {
    guard let toColumn = relation.toColumn, to.read(new, toColumn, relation.toForm) else {
      return nil
    }
    let fromColumn = relation.statusColumn
    guard from.read(new, fromColumn, relation.statusForm) else { return nil }
    var sight = Sight(isInsert: isInsert)
    if let before {
      guard toBefore.read(before, toColumn, relation.toForm),
        fromBefore.read(before, fromColumn, relation.statusForm)
      else { return nil }
      // A TOASTed value that stayed is in the old row.
      if from.kind == .unsent { from = fromBefore }
      if to.kind == .unsent { to = toBefore }
    } else if let deleted {
      (fromBefore, toBefore) = (PairCell(deleted.from), PairCell(deleted.to))
    } else {
      sight.hasBefore = false
    }
    if sight.hasBefore {
      sight.fromMoved = from != fromBefore
      sight.toMoved = to != toBefore
    }
    sight.toIsNull = to.kind == .null
    sight.fromIsBlank = from.kind == .null || (from.kind == .value && from.bytes == blank)
    sight.agreement = statuses.agreement(from: from, to: to)
    return sight
  }
}
