import ChangeLog
import Derivation
import PGOutput

/// Reads the log's changes as events of a slot's table. Holds no file; for one thread.
struct EventReader {
  let plan: EventPlan
  /// The map as it is known now.
  var rule: StateRule
  /// Where the columns stand in the table that was read last: changes come in runs.
  private var places: ColumnPlaces?

  init(_ plan: EventPlan, map: StateMap) {
    self.plan = plan
    rule = StateRule(map: map)
  }

  /// The event of a change; nil for a message that is no correction. A row that came without its key is a gap: nobody knows which it is.
  mutating func event(_ change: LogChange, after position: Position) throws(ChangeLogError) -> StateEvent? {
    switch change.kind {
    case .message: return try correction(change, after: position)
    case .truncate:
      return StateEvent(
        kind: .truncated, position: change.position, operation: .truncate, transaction: change.transaction,
        key: [], oldKey: nil, status: nil, state: .none(.gone), previous: nil, columns: [], gap: nil)
    case .insert, .update, .delete: break
    }
    let event = try change.withRow { row, relation throws(ChangeLogError) -> StateEvent? in
      Self.event(change, row, places(in: relation), rule)
    }
    if let event = event ?? nil { return event }
    let names = plan.derive.key.map(\.name).joined(separator: ", ")
    return StateEvent(
      gap: EventGap(
        after: position, next: change.transaction.end, reason: "a change came without its key \(names)"),
      at: change.position)
  }

  private mutating func places(in relation: Relation) -> ColumnPlaces {
    if let places, places.relation == relation { return places }
    let found = ColumnPlaces(plan, in: relation)
    places = found
    return found
  }

  private static func event(
    _ change: LogChange, _ row: borrowing RowChange, _ places: ColumnPlaces, _ rule: StateRule
  ) -> StateEvent? {
    guard let keyColumns = places.key else { return nil }
    let before: [ExactText]? = if let old = row.old { places.key(old, keyColumns, else: nil) } else { nil }
    // A large key that did not change is sent with the old row only.
    let after: [ExactText]? = if let new = row.new { places.key(new, keyColumns, else: row.old) } else { nil }
    guard let key = change.kind == .delete ? before : after else { return nil }
    var pair: ColumnPair?
    var oldPair: ColumnPair?
    var columns: [ColumnReading] = []
    if let new = row.new {
      pair = places.pair(new)
      columns = places.columns(new)
    }
    if row.oldKind == .full, let old = row.old { oldPair = places.pair(old) }
    let outcome: StateRule.Outcome
    if let pair {
      outcome = change.kind == .insert ? rule.insert(pair) : rule.update(pair, from: oldPair)
    } else {
      outcome = rule.delete(oldPair)
    }
    let kind: StateEvent.Kind =
      change.kind == .delete ? .deleted : outcome.moved == false ? .changed : .stateChanged
    var previous: StateEvent.Previous?
    if let oldPair, let state = outcome.previous {
      previous = StateEvent.Previous(status: oldPair.from, state: state)
    }
    return StateEvent(
      kind: kind, position: change.position, operation: change.kind, transaction: change.transaction,
      key: key,
      oldKey: change.kind == .update && before != nil && before != key ? before : nil, status: pair?.from,
      state: outcome.state, previous: previous, columns: columns, gap: nil)
  }
}
