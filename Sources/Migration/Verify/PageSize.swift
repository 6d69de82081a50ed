/// How many rows a page has: as many as one statement reads in the time wanted. A value.
struct PageSize {
  private(set) var rows: Int
  private let target: Duration
  private let most: Int
  private static let least = 10

  init(target: Duration, most: Int) {
    self.target = target
    self.most = max(1, most)
    rows = min(1000, self.most)
  }

  /// Takes in how long a page took. A short one at the table's end tells nothing of the size.
  mutating func note(_ took: Duration, rows read: Int64) {
    guard read >= rows else { return }
    let share = target / max(took, .microseconds(100))
    // A step up is half at most: what comes may be slower than what was in memory.
    let next = Double(rows) * min(1.5, max(0.2, share))
    rows = min(most, max(min(Self.least, most), Int(next)))
  }

  /// Takes in that a page did not end within `statement_timeout`. Says whether a smaller one is left to try.
  mutating func timedOut() -> Bool {
    guard rows > Self.least else { return false }
    rows = max(Self.least, rows / 10)
    return true
  }
}
