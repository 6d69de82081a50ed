/// One thing that must hold before readers are told to read the new column: what was found just now, beside what is asked.
public struct Gate: Sendable, Hashable {
  /// What was looked at: `verification`.
  public var name: String
  /// Whether it holds.
  public var passes: Bool
  /// What was found, in a few words.
  public var value: String
  /// What is asked.
  public var threshold: String
  /// How old the value is, in seconds; nil for one that was read when it was asked for.
  public var age: Double?
  /// How to mend it; nil where it holds.
  public var mend: String?

  /// A gate from its parts.
  public init(
    _ name: String, passes: Bool, _ value: String, threshold: String, age: Double? = nil, mend: String? = nil
  ) {
    self.name = name
    self.passes = passes
    self.value = value
    self.threshold = threshold
    self.age = age
    self.mend = passes ? nil : mend
  }
}
