public import PGOutput

/// Why a timeline history file cannot be read.
public enum TimelineHistoryError: Error, Hashable, Sendable {
  /// A line is not `TIMELINE SWITCHPOINT REASON`.
  case malformedLine(number: Int)
  /// A timeline is not younger than the one before it, or not older than the file's own.
  case outOfOrder(number: Int)
}

/// How a server's timeline came about: which timelines it descends from, and where each was left
/// (`timeline.c readTimeLineHistory`). A promotion leaves the old timeline where the standby's replay ended.
public struct TimelineHistory: Sendable, Hashable {
  /// A timeline before the server's own.
  public struct Ancestor: Sendable, Hashable {
    /// Its number.
    public var timeline: UInt32
    /// Up to here its WAL is the server's too.
    public var end: LSN

    /// An ancestor from its parts.
    public init(timeline: UInt32, end: LSN) {
      self.timeline = timeline
      self.end = end
    }
  }

  /// The timeline whose history this is.
  public var timeline: UInt32
  /// The timelines before it, oldest first.
  public var ancestors: [Ancestor]

  /// A history from its parts.
  public init(timeline: UInt32, ancestors: [Ancestor]) {
    self.timeline = timeline
    self.ancestors = ancestors
  }

  /// Reads a history file: a line an ancestor, `#` begins a comment.
  public init(timeline: UInt32, file: String) throws(TimelineHistoryError) {
    self.init(timeline: timeline, ancestors: [])
    // Bytes, since CR LF is one character.
    let lines = file.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.map(Substring.init).enumerated() {
      let words = line.split(maxSplits: 2) { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard let number = UInt32(first), words.count > 1, let end = LSN(String(words[1])) else {
        throw .malformedLine(number: index + 1)
      }
      guard number > ancestors.last?.timeline ?? 0, number < timeline else {
        throw .outOfOrder(number: index + 1)
      }
      ancestors.append(Ancestor(timeline: number, end: end))
    }
  }

  /// Where the server's history left a timeline; nil when it was never on it, or still is.
  public func end(of timeline: UInt32) -> LSN? {
    ancestors.first { $0.timeline == timeline }?.end
  }
}

extension Connection {
  /// Asks a replication session how a timeline came about; nil for the first, which has no history.
  public func timelineHistory(_ timeline: UInt32) throws(PostgresError) -> TimelineHistory? {
    guard timeline > 1 else { return nil }
    let purpose = "read the history of timeline \(timeline)"
    let rows = try script("TIMELINE_HISTORY \(timeline)", purpose: purpose)
    guard rows.rowCount == 1, let file = rows[0, 1] else {
      throw .unexpected(purpose: purpose, what: "no file")
    }
    do throws(TimelineHistoryError) {
      return try TimelineHistory(timeline: timeline, file: file)
    } catch {
      throw .unexpected(purpose: purpose, what: "\(error)")
    }
  }
}
