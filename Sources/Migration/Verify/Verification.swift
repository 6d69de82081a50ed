public import PGOutput

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
    /// The map has no such status, and the row is not in quarantine either.
    case unlisted
    /// In quarantine though the row has the value that the map gives, or is gone.
    case stale
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
    /// Where the WAL stood when it was first seen: everything before was applied when it was seen again.
    public var seen: LSN?

    /// A mismatch from its parts.
    public init(kind: Class, key: String, from: String?, to: String?, seen: LSN? = nil) {
      self.kind = kind
      self.key = key
      self.from = from
      self.to = to
      self.seen = seen
    }
  }

  /// Rows looked at.
  public var rows: Int64 = 0
  /// Of these, rows that an earlier process had looked at.
  public var resumed: Int64 = 0
  /// Rows that looked wrong at first and were right once the stream had passed.
  public var settled: Int64 = 0
  /// Rows that look wrong and could not be judged: the stream did not pass the position at which they were seen.
  public var undecided: Int64 = 0
  /// Wrong rows by class.
  public var counts: [Class: Int64] = [:]
  /// The first ten of them.
  public var first: [Mismatch] = []
  /// What is wrong with the map itself, a sentence each.
  public var map: [String] = []
  /// Everything up to this position was applied when the last row was judged.
  public var witness: String?
  /// What a reader of the result should know, a sentence each.
  public var notes: [String] = []
  /// What a sample proves; nil where all was looked at.
  public var sample: SampleProof?

  /// How many mismatches are shown.
  static let shown = 10

  /// A result without anything in it.
  public init() {}

  /// All wrong rows.
  public var mismatches: Int64 { counts.values.reduce(0, +) }

  /// Whether nothing is wrong, and nothing was left open.
  public var isClean: Bool { mismatches == 0 && undecided == 0 && map.isEmpty }

  mutating func add(_ found: [Mismatch]) {
    for mismatch in found { counts[mismatch.kind, default: 0] += 1 }
    first += found.prefix(max(0, Self.shown - first.count))
  }
}

/// What a sample proves of the whole table.
public struct SampleProof: Sendable, Equatable {
  /// What the draws began from: the same seed on the same table draws the same rows.
  public var seed: UInt64
  /// Rows that were asked for.
  public var asked: Int64

  /// With 95 % confidence less than this share of the rows is wrong, given that none of `rows` drawn was: 0.95 =
  /// 1 - (1 - p)^n gives p < 3 / n (the rule of three).
  public static func bound(rows: Int64) -> Double? { rows > 0 ? min(1, 3 / Double(rows)) : nil }
}
