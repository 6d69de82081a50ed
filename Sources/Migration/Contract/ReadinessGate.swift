/// Something that must hold before the old column may go, with what was found. A value.
public struct ReadinessGate: Sendable, Equatable {
  /// What it looks at: `legacy writes`.
  public enum Name: String, Sendable, CaseIterable {
    case phase
    case dualWrite = "dual-write"
    case direction
    case legacyWrites = "legacy writes"
    case bothColumns = "writes of both"
    case dependents
    case verification
    case quarantine
    case bridge
    /// Of a publication of somebody else's.
    case rowFilter = "row filter"
  }

  /// What it looks at.
  public var name: Name
  /// Whether it holds.
  public var holds: Bool
  /// What was found, in a sentence without its full stop.
  public var found: String
  /// What mends it; nil where it holds.
  public var hint: String?

  static func holds(_ name: Name, _ found: String) -> ReadinessGate {
    ReadinessGate(name: name, holds: true, found: found)
  }

  static func fails(_ name: Name, _ found: String, _ hint: String) -> ReadinessGate {
    ReadinessGate(name: name, holds: false, found: found, hint: hint)
  }
}
