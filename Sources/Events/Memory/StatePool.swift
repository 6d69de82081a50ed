/// What rows were told to be, each once, with a number from 1: there are few of them.
struct StatePool {
  private struct Entry: Hashable {
    let previous: StateEvent.Previous

    static func == (a: Entry, b: Entry) -> Bool { a.previous == b.previous }

    /// The status tells nearly all of them apart.
    func hash(into hasher: inout Hasher) { hasher.combine(previous.status) }
  }

  /// More than any map has; statuses that no map knows stand beside a state only where the new column tells it.
  private static let most = 4096

  private var entries: [StateEvent.Previous] = []
  private var numbers: [Entry: UInt16] = [:]

  /// The number of one; nil when there are too many.
  mutating func number(_ previous: StateEvent.Previous) -> UInt16? {
    // Of the first few, which most rows are in, a look is faster than a hash.
    for index in 0..<min(entries.count, 12) where entries[index] == previous {
      return UInt16(truncatingIfNeeded: index + 1)
    }
    if let number = numbers[Entry(previous: previous)] { return number }
    guard entries.count < Self.most else { return nil }
    entries.append(previous)
    let number = UInt16(truncatingIfNeeded: entries.count)
    numbers[Entry(previous: previous)] = number
    return number
  }

  /// The one with a number.
  subscript(number: UInt16) -> StateEvent.Previous? {
    let index = Int(number) - 1
    return entries.indices.contains(index) ? entries[index] : nil
  }

  mutating func removeAll() {
    entries.removeAll()
    numbers.removeAll()
  }
}
