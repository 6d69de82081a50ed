public import Derivation

/// A signal as it stands, for people.
public struct SignalView: Sendable, Equatable {
  /// What is made of it.
  public enum Standing: String, Sendable {
    /// Its value leaves room.
    case free
    /// It is at its limit, or was and is not far enough below.
    case holds
    /// It is not known, and that holds.
    case unknown
    /// It is not known, and that is ignored, as the definition says.
    case ignored
    /// There is nothing here that it could measure.
    case absent
  }

  /// Its name in the definition, or a query's own.
  public var name: String
  /// What is made of it.
  public var standing: Standing
  /// Its value; nil while it is not known.
  public var value: Double?
  /// Its limit.
  public var limit: Double
  /// What both are counted in.
  public var unit: SlotDefinition.Signal.Unit
  /// The value as a part of the limit: 1 holds.
  public var load: Double?
  /// Milliseconds since it was measured; nil when it never was.
  public var age: Double?
  /// Why it is not known, or what it is about.
  public var note: String?

  /// `replica_lag 12.4 s, limit 10 s (standby_1), 0.3 s ago`.
  public var text: String {
    var text = name
    if let value {
      text += " \(Self.text(value, unit)), limit \(Self.text(limit, unit))"
    } else {
      text += standing == .absent ? " not here" : " unknown"
    }
    if let note { text += " (\(note))" }
    if let age { text += ", measured \(Self.text(age, .duration)) ago" }
    return text
  }

  /// A value in its unit.
  public static func text(_ value: Double, _ unit: SlotDefinition.Signal.Unit) -> String {
    guard value.isFinite, abs(value) < 1e18 else { return "-" }
    switch unit {
    case .duration: return duration(value)
    case .size: return value < 0 ? "-\(Sizes.text(UInt64(-value)))" : Sizes.text(UInt64(value))
    case .percent: return "\(tenths(value))%"
    case .count: return value == value.rounded() ? "\(Int64(value))" : tenths(value)
    }
  }

  private static func duration(_ milliseconds: Double) -> String {
    if milliseconds < 1000 { return "\(Int64(milliseconds.rounded())) ms" }
    if milliseconds < 120_000 { return "\(tenths(milliseconds / 1000)) s" }
    let minutes = Int64(milliseconds / 60_000)
    return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int64((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }
}
