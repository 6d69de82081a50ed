/// What is looked at.
public enum VerifyScope: Sendable, Equatable {
  /// Every row, page by page; taken up where an earlier run was left, unless it is to begin anew.
  case whole(restart: Bool)
  /// The rows that transactions of the last so many seconds touched, by the change log.
  case recent(seconds: Int)
  /// So many rows, drawn uniformly; the same seed on the same table draws the same ones.
  case sample(rows: Int, seed: UInt64)
}

/// How a verification looks and waits.
public struct VerifyOptions: Sendable {
  /// What is looked at.
  public var scope = VerifyScope.whole(restart: false)
  /// Where the rows are looked at, as a connection string; nil for the definition's source. A standby will do.
  public var on: String?
  /// How long a page should take, at full pace; its rows follow from that.
  public var page = Duration.milliseconds(250)
  /// The share of the time that it reads: after each page it rests. Pages are as much shorter.
  public var pace = 1.0
  /// The most rows of a page.
  public var pageRows = 50_000
  /// How many suspects are held before reading goes on only when some of them are judged.
  public var suspects = 10_000
  /// How long the stream may stand still before what waits for it is left undecided.
  public var wait = Duration.seconds(120)

  /// How long a page should take at this pace.
  var pageAim: Duration { max(page * min(1, pace), .milliseconds(5)) }

  /// How long to rest after a page.
  func rest(after took: Duration) -> Duration {
    pace < 1 ? took * (1 / max(pace, 0.01) - 1) : .zero
  }

  /// The whole table, over the definition's own connection.
  public init() {}
}

/// How far a verification has come.
public struct VerifyProgress: Sendable, Equatable {
  /// Rows looked at.
  public var rows: Int64 = 0
  /// Rows expected; nil where nobody knows.
  public var expected: Int64?
  /// Rows that look wrong and are not judged yet.
  public var suspects = 0
  /// Rows that are wrong.
  public var mismatches: Int64 = 0
  /// Whether it waits for the stream.
  public var waits = false
}
