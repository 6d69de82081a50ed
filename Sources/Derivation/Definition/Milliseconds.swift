/// A duration in whole milliseconds, written with a unit: `500ms`, `2s`, `10m`, `1h`.
///
/// The resolution is that of PostgreSQL's own timeouts.
public struct Milliseconds: Hashable, Comparable, Sendable {
  /// The number of milliseconds.
  public var count: Int

  /// A duration from its number of milliseconds.
  public init(_ count: Int) {
    self.count = count
  }

  /// `count` seconds.
  public static func seconds(_ count: Int) -> Milliseconds { Milliseconds(count * 1_000) }

  /// The same as the standard library's duration.
  public var duration: Duration { .milliseconds(count) }

  /// The smaller number first.
  public static func < (a: Milliseconds, b: Milliseconds) -> Bool { a.count < b.count }

  static let units: [(name: String, scale: Int)] = [
    ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]
}

extension Milliseconds: LosslessStringConvertible {
  /// Reads digits and a unit; nil on anything else, and on what overflows.
  public init?(_ description: String) {
    guard let count = Quantity.value(of: description, in: Self.units) else { return nil }
    self.init(count)
  }

  /// The duration in the largest unit that divides it; PostgreSQL wants `min` for minutes, so statements use `count`.
  public var description: String { Quantity.text(of: count, in: Self.units) }
}
