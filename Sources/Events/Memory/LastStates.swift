import ChangeLog
import Derivation

/// The last state that the log told of each of the latest rows: what was before a change that came without the old row.
///
/// Rules:
/// - a row that came, or went, was told nothing of before;
/// - a change of the key takes what was told along;
/// - a change that told no state (an unmapped value, say) makes it unknown;
/// - after a truncation, a gap, or another description of the table, nothing is known;
/// - two rows of one key cannot be: where it looks so, nothing is known of that key;
/// - what does not fit is forgotten. Never is anything told that the log did not say last.
struct LastStates {
  private var table: StateTable
  private var pool = StatePool()

  /// Remembers at most so many rows.
  init(rows: Int) { table = StateTable(most: rows) }

  /// How many bytes the table has.
  var bytes: Int { table.bytes }

  /// Takes note of a change: of the row's key, the one it had where that was another, its old column and its state. Gives what
  /// was told of the row before.
  mutating func take(
    _ kind: LogChange.Kind, _ key: [ExactText], from oldKey: [ExactText]?, _ status: ColumnReading?,
    _ state: StateEvent.Reading
  ) -> StateEvent.Previous? {
    guard let status, kind != .delete else { return delete(key) }
    let now = StateEvent.Previous(status: status, state: state, source: .log)
    guard kind == .insert else { return update(key, from: oldKey, now) }
    insert(key, now)
    return nil
  }

  /// A row came.
  private mutating func insert(_ key: [ExactText], _ now: StateEvent.Previous) {
    guard let key = PackedKey(key) else { return }
    settle(key, now)
  }

  /// A row changed: what was told of it before.
  private mutating func update(
    _ key: [ExactText], from oldKey: [ExactText]?, _ now: StateEvent.Previous
  ) -> StateEvent.Previous? {
    if let oldKey {
      let before = delete(oldKey)
      insert(key, now)
      return before
    }
    guard let key = PackedKey(key) else { return nil }
    guard let number = number(now) else { return table.remove(key).flatMap { pool[$0] } }
    return table.put(key, number).flatMap { pool[$0] }
  }

  /// A row went: what was told of it before.
  private mutating func delete(_ key: [ExactText]) -> StateEvent.Previous? {
    PackedKey(key).flatMap { table.remove($0) }.flatMap { pool[$0] }
  }

  /// Nothing is known any more.
  mutating func forgetAll() {
    table.removeAll()
    pool.removeAll()
  }

  private mutating func settle(_ key: PackedKey, _ now: StateEvent.Previous) {
    if table.remove(key) == nil, let number = number(now) { _ = table.put(key, number) }
  }

  private mutating func number(_ now: StateEvent.Previous) -> UInt16? {
    guard case .state = now.state else { return nil }
    if let number = pool.number(now) { return number }
    forgetAll()
    return pool.number(now)
  }
}
