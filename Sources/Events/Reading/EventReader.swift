import ChangeLog
import Derivation
import PGOutput

/// Reads the log's changes as events of a slot's table. Holds no file; for one thread.
struct EventReader {
  let plan: EventPlan
  /// The map as it is known now.
  private(set) var rule: StateRule
  /// What rows were told to be, for those whose old rows are not in the log; nil: nothing is remembered.
  private var memory: LastStates?
  /// What is remembered elsewhere of the latest changes.
  var recent: RecentStates?
  /// Where the columns stand in the table that was read last: changes come in runs.
  private var places: ColumnPlaces?

  init(_ plan: EventPlan, map: StateMap) {
    self.plan = plan
    rule = StateRule(map: map)
  }

  /// The map is another: what was told under the last one is told no more.
  mutating func learn(_ map: StateMap) {
    rule = StateRule(map: map)
    forget()
  }

  /// Remembers rows from here on, unless it does already.
  mutating func remember(rows: Int) {
    if memory == nil, rows > 0 { memory = LastStates(rows: rows) }
  }

  /// Takes note of a state that the log told of a row otherwise than by a change of it.
  mutating func note(_ key: [ExactText], _ status: ColumnReading, _ state: StateEvent.Reading) {
    _ = memory?.take(.update, key, from: nil, status, state)
  }

  /// Nothing is known of any row now: changes may be missing.
  mutating func forget() { memory?.forgetAll() }

  /// The event of a change; nil for a message that is no correction. A row that came without its key is a gap: nobody knows which it is.
  mutating func event(_ change: LogChange, after position: Position) throws(ChangeLogError) -> StateEvent? {
    switch change.kind {
    case .message: return try correction(change, after: position)
    case .truncate:
      forget()
      return StateEvent(
        kind: .truncated, position: change.position, operation: .truncate, transaction: change.transaction,
        key: [], oldKey: nil, status: nil, state: .none(.gone), previous: nil, columns: [], gap: nil)
    case .insert, .update, .delete: break
    }
    let event = try change.withRow { row, relation throws(ChangeLogError) -> StateEvent? in
      let places = places(in: relation)
      return Self.event(change, row, places, rule, &memory, recent)
    }
    if let event = event ?? nil { return event }
    forget()
    let names = plan.derive.key.map(\.name).joined(separator: ", ")
    return StateEvent(
      gap: EventGap(
        after: position, next: change.transaction.end, reason: "a change came without its key \(names)"),
      at: change.position)
  }

  private mutating func places(in relation: Relation) -> ColumnPlaces {
    if let places, places.relation == relation { return places }
    let found = ColumnPlaces(plan, in: relation)
    // Another description: its rows may have been written anew, which no log tells.
    if places != nil { forget() }
    places = found
    return found
  }

  private static func event(
    _ change: LogChange, _ row: borrowing RowChange, _ places: ColumnPlaces, _ rule: StateRule,
    _ memory: inout LastStates?, _ recent: RecentStates?
  ) -> StateEvent? {
    guard let keyColumns = places.key else { return nil }
    let before: [ExactText]? = if let old = row.old { places.key(old, keyColumns, else: nil) } else { nil }
    // A large key that did not change is sent with the old row only.
    let after: [ExactText]? = if let new = row.new { places.key(new, keyColumns, else: row.old) } else { nil }
    guard let key = change.kind == .delete ? before : after else { return nil }
    let oldKey = change.kind == .update && before != nil && before != key ? before : nil
    var pair: ColumnPair?
    var oldPair: ColumnPair?
    var columns: [ColumnReading] = []
    if let new = row.new {
      pair = places.pair(new)
      columns = places.columns(new)
    }
    if row.oldKind == .full, let old = row.old { oldPair = places.pair(old) }
    var outcome: StateRule.Outcome
    if let pair {
      outcome = change.kind == .insert ? rule.insert(pair) : rule.update(pair, from: oldPair)
    } else {
      outcome = rule.delete(oldPair)
    }
    var previous: StateEvent.Previous?
    if places.tellsRows {
      previous = memory?.take(change.kind, key, from: oldKey, pair?.from, outcome.state)
      if previous == nil, change.kind != .insert { previous = recent?.previous(at: change.position) }
    }
    if let oldPair {
      previous = outcome.previous.map {
        StateEvent.Previous(status: oldPair.from, state: $0, source: .row)
      }
    } else if let previous {
      outcome = outcome.after(previous.state)
    }
    let kind: StateEvent.Kind =
      change.kind == .delete ? .deleted : outcome.moved == false ? .changed : .stateChanged
    return StateEvent(
      kind: kind, position: change.position, operation: change.kind, transaction: change.transaction,
      key: key, oldKey: oldKey, status: pair?.from,
      state: outcome.state, previous: previous, columns: columns, gap: nil)
  }
}
