/// Growing waits with full jitter between attempts.
public struct Backoff: Sendable {
  private let first: Int
  private let last: Int
  private var ceiling: Int

  /// - Parameters:
  ///   - firstMilliseconds: the longest first wait.
  ///   - lastMilliseconds: the longest of all.
  public init(firstMilliseconds: Int, lastMilliseconds: Int) {
    first = max(1, firstMilliseconds)
    last = max(first, lastMilliseconds)
    ceiling = first
  }

  /// The next wait in milliseconds: anything up to a ceiling that doubles, so that many clients do not come at once.
  public mutating func next() -> Int {
    defer { ceiling = min(last, ceiling * 2) }
    return Int.random(in: (ceiling + 1) / 2...ceiling)
  }

  /// It worked: start over with the shortest wait.
  public mutating func succeeded() { ceiling = first }
}
