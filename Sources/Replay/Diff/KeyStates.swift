import ChangeLog
import Derivation
import PGOutput

/// What the log says last of a row.
struct KeyState: Hashable, Sendable {
  /// How the row stands.
  enum Standing: Hashable, Sendable {
    /// It is there, with this status.
    case present(RowEvent.Status)
    /// It was deleted, truncated away, or has another key now.
    case gone
  }

  var standing: Standing
  var position: Position
  var transaction: LogTransaction.Head
}

/// The last states of rows, each by its key. A value.
struct KeyStates {
  private(set) var states: [RowKey: KeyState] = [:]

  var count: Int { states.count }

  var isEmpty: Bool { states.isEmpty }

  func contains(_ key: RowKey) -> Bool { states[key] != nil }

  /// Takes in what an event says of the rows for which `isWanted` holds.
  mutating func note(_ event: RowEvent, where isWanted: (RowKey) -> Bool = { _ in true }) {
    guard let key = event.key else {
      for key in states.keys { set(key, .gone, event) }
      return
    }
    if let old = event.oldKey, isWanted(old) { set(old, .gone, event) }
    guard isWanted(key) else { return }
    guard let status = event.status else { return set(key, .gone, event) }
    // A value that was not sent is the one that was sent before, under the key it had then.
    let before = states[event.oldKey ?? key]?.standing
    if status == .unchanged, event.oldKey == nil, case .present(let known) = before {
      set(key, .present(known), event)
    } else {
      set(key, .present(status), event)
    }
  }

  /// Takes in what an event says of the rows that are here.
  mutating func noteKnown(_ event: RowEvent) {
    guard let key = event.key else { return note(event) }
    let (isHere, wasHere) = (contains(key), event.oldKey.map { contains($0) } ?? false)
    guard isHere || wasHere else { return }
    note(event) { $0 == key ? isHere : wasHere }
  }

  private mutating func set(_ key: RowKey, _ standing: KeyState.Standing, _ event: RowEvent) {
    states[key] = KeyState(
      standing: standing, position: event.position, transaction: event.transaction)
  }

  mutating func put(_ key: RowKey, _ state: KeyState) { states[key] = state }

  mutating func remove(_ key: RowKey) { states[key] = nil }

  mutating func removeAll() { states.removeAll(keepingCapacity: true) }
}
