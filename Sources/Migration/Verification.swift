/// What a verification found.
public struct Verification: Sendable, Equatable {
  /// How a row can be wrong.
  public enum Class: String, Sendable, CaseIterable {
    /// The new value is missing though the map has one.
    case incomplete
    /// The new value is not the one the map gives.
    case incorrect
    /// The new value is in no row of the map.
    case orphan
    /// The map has no such status: the row waits in quarantine.
    case unmapped
  }

  /// A row that stayed wrong after everything up to the look at it was applied.
  public struct Mismatch: Sendable, Hashable {
    /// How it is wrong.
    public var kind: Class
    /// The key, as a JSON array of its columns' text.
    public var key: String
    /// The old value.
    public var from: String?
    /// The new value.
    public var to: String?
  }

  /// Rows looked at.
  public var rows: Int64 = 0
  /// Rows that looked wrong at first and were right once the stream had passed.
  public var settled: Int64 = 0
  /// Wrong rows by class.
  public var counts: [Class: Int64] = [:]
  /// The first ten of them.
  public var first: [Mismatch] = []
  /// Everything up to this position was applied when the last row was judged.
  public var witness: String?

  /// All wrong rows.
  public var mismatches: Int64 { counts.values.reduce(0, +) }
}
