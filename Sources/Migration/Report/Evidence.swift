/// What is on record of a migration, in sections; the command line shows it as Markdown, HTML or JSON. A value: the same account
/// gives the same evidence.
public struct Evidence: Sendable, Hashable {
  /// A value in it.
  public enum Cell: Sendable, Hashable {
    /// Words, a name or a time.
    case text(String)
    /// What was run, or is to be read letter by letter.
    case code(String)
    /// A count.
    case number(Int64)
    /// Nothing is recorded.
    case none

    /// A text that may be missing.
    static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .none }
    /// A count that may be missing.
    static func optional(_ number: Int64?) -> Cell { number.map { .number($0) } ?? .none }
  }

  /// A value and what it is.
  public struct Fact: Sendable, Hashable {
    /// What it is, in a few words.
    public var label: String
    /// The value.
    public var value: Cell

    init(_ label: String, _ value: Cell) {
      self.label = label
      self.value = value
    }
  }

  /// Rows of the same kind.
  public struct Table: Sendable, Hashable {
    /// The columns' titles.
    public var columns: [String]
    /// The rows, each as long as `columns`.
    public var rows: [[Cell]]
    /// What they are, in a sentence; nil where the section says so.
    public var caption: String?
    /// Whether its rows hold too much for a grid: each is then shown by itself, under its first three values.
    public var isLong = false
    /// The column with the kind of each row, by which it may be marked; nil where there is none.
    public var kind: Int?
  }

  /// One subject.
  public struct Section: Sendable, Hashable {
    /// Its name for machines.
    public var id: String
    /// Its title.
    public var title: String
    /// What is to be known of it, a sentence each.
    public var sentences: [String] = []
    /// Single values.
    public var facts: [Fact] = []
    /// Rows.
    public var tables: [Table] = []
  }

  /// The slot.
  public var slot: String
  /// `public.transactions.status -> state_id`.
  public var derivation: String
  /// The sections, in order.
  public var sections: [Section]
  /// What is wrong with the audit trail, a sentence each.
  public var faults: [String]
  /// The last row's number and hash; nil where the trail could not be read.
  public var end: End?

  /// Where the trail ends.
  public struct End: Sendable, Hashable {
    /// How many rows it has.
    public var rows: Int
    /// The hash of the last.
    public var hash: String
  }
}
