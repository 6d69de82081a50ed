import ChangeLog
import PGOutput

/// What was before each of the latest changes, by position: 16 bytes a change, the oldest overwritten first.
struct PreviousRing {
  private struct Entry {
    let end: UInt64
    let ordinal: UInt32
    let number: UInt16
  }

  private let capacity: Int
  private var entries: [Entry] = []
  /// Where the oldest stands, once the ring is full.
  private var first = 0
  private var pool = StatePool()
  /// What stands here or before is not known any more.
  private(set) var dropped = Position(endLSN: .invalid)

  init(capacity: Int) { self.capacity = capacity }

  /// Adds what was before a change; each stands behind the one added before.
  mutating func append(_ position: Position, _ previous: StateEvent.Previous) {
    guard let ordinal = UInt32(exactly: position.ordinal) else { return dropped = position }
    if let number = pool.number(previous) {
      return append(Entry(end: position.endLSN.rawValue, ordinal: ordinal, number: number), position)
    }
    // Too many of them to have numbers: none of this happens with a map that people made.
    entries.removeAll()
    pool.removeAll()
    first = 0
    dropped = position
  }

  private mutating func append(_ entry: Entry, _ position: Position) {
    guard entries.count >= capacity else { return entries.append(entry) }
    guard capacity > 0 else { return dropped = position }
    dropped = Self.position(entries[first])
    entries[first] = entry
    first = first + 1 == capacity ? 0 : first + 1
  }

  /// What was before the change at a position.
  func previous(at position: Position) -> StateEvent.Previous? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      let found = entries[place(middle)]
      let here = Self.position(found)
      if here == position { return pool[found.number] }
      if here < position { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private func place(_ index: Int) -> Int {
    let place = first + index
    return place < entries.count ? place : place - entries.count
  }

  private static func position(_ entry: Entry) -> Position {
    Position(endLSN: LSN(rawValue: entry.end), ordinal: UInt64(entry.ordinal))
  }
}
