/// An age in whole seconds, written with a unit: `30d`, `12h`, `90m`. A day is 24 hours.
///
/// Timeouts are `Milliseconds`: nothing waits for days, and nothing is kept for milliseconds.
public struct Age: Hashable, Comparable, Sendable {
  /// The number of seconds.
  public var seconds: Int

  /// An age from its number of seconds.
  public init(seconds: Int) {
    self.seconds = seconds
  }

  /// The shorter first.
  public static func < (a: Age, b: Age) -> Bool { a.seconds < b.seconds }

  static let units: [(name: String, scale: Int)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
}

extension Age: LosslessStringConvertible {
  /// Reads digits and a unit; nil on anything else, and on what overflows.
  public init?(_ description: String) {
    guard let seconds = Quantity.value(of: description, in: Self.units) else { return nil }
    self.init(seconds: seconds)
  }

  /// The age in the largest unit that divides it.
  public var description: String { Quantity.text(of: seconds, in: Self.units) }
}
