import PGOutput

/// A place between two frames: a segment, by its start, and an offset in its file.
struct LogCursor: Hashable, Comparable {
  var segment: LSN
  var offset: UInt64

  static func < (a: LogCursor, b: LogCursor) -> Bool {
    a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset
  }
}

/// The most recent frames of a log in the order in which they were written, up to a bound in bytes.
struct TailRing {
  struct Entry {
    /// The end of the frame before this one; in another segment when this is a segment's first.
    var from: LogCursor
    var to: LogCursor
    var announcement: Announcement
    /// The records; nil for a watermark.
    var bytes: LogBytes? = nil

    var cost: Int { 256 + (bytes?.count ?? 0) }
  }

  private var entries: [Entry] = []
  /// Entries before this one are gone; they are removed from the array in bulk.
  private var head = 0
  private(set) var cost = 0

  var count: Int { entries.count - head }

  mutating func append(_ entry: Entry, capacity: Int) {
    entries.append(entry)
    cost += entry.cost
    while cost > capacity, head < entries.count {
      cost -= entries[head].cost
      entries[head].bytes = nil
      head += 1
    }
    if head > 64, head * 2 > entries.count {
      entries.removeFirst(head)
      head = 0
    }
  }

  mutating func discard(from cursor: LogCursor) {
    while entries.count > head, let last = entries.last, last.to > cursor {
      cost -= last.cost
      entries.removeLast()
    }
  }

  /// The entry that starts where `cursor` stands, found by bisection: `from` ascends.
  func entry(after cursor: LogCursor) -> Entry? {
    var low = head
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].from < cursor { low = middle + 1 } else { high = middle }
    }
    guard low < entries.count, entries[low].from == cursor else { return nil }
    return entries[low]
  }
}
