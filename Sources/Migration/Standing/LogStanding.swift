public import Capture
public import ChangeLog
public import PGOutput

/// Where the change log stands.
public struct LogStanding: Sendable {
  /// What it holds; nil when there is none.
  public var summary: LogSummary?
  /// When the first transaction that is not applied committed; nil when all are.
  public var oldestUnapplied: Timestamp?
  /// Transactions that are prepared, whose changes wait in the spool.
  public var prepared: [PreparedTransaction]
  /// Why something of it could not be read.
  public var trouble: String?

  /// A standing from its parts.
  public init(
    summary: LogSummary? = nil, oldestUnapplied: Timestamp? = nil, prepared: [PreparedTransaction] = [],
    trouble: String? = nil
  ) {
    self.summary = summary
    self.oldestUnapplied = oldestUnapplied
    self.prepared = prepared
    self.trouble = trouble
  }

  /// Looks at the log, also while another process writes it.
  ///
  /// - Parameter applied: the checkpoint; nil when it is not known, and then nothing is said of what is unapplied.
  public static func look(directory: String, applied: LSN?) -> LogStanding {
    var standing = LogStanding()
    do throws(ChangeLogError) {
      guard let summary = try ChangeLogWriter.inspect(directory: directory) else { return standing }
      standing.summary = summary
      standing.prepared = try PreparedTransaction.pending(logDirectory: directory)
      if let applied, summary.end > applied {
        standing.oldestUnapplied = try oldest(directory: directory, after: max(applied, summary.start))
      }
    } catch {
      standing.trouble = "\(error)"
    }
    return standing
  }

  /// The commit time in the first Begin record after a position.
  private static func oldest(directory: String, after: LSN) throws(ChangeLogError) -> Timestamp? {
    let reader = try LogReader(directory: directory, after: after)
    while let chunk = try reader.next(timeout: .zero) {
      guard !chunk.isRelations else { continue }
      var found: Timestamp?
      try chunk.withUnsafeBytes { (bytes) throws(ChangeLogError) in
        var records = LogRecordIterator(bytes)
        while found == nil, let record = try records.next() { found = commitTime(record) }
      }
      if let found { return found }
    }
    return nil
  }

  private static func commitTime(_ record: LogRecord) -> Timestamp? {
    guard record.payload.first == UInt8(ascii: "B") else { return nil }
    do {
      if case .begin(let begin) = try Message(decoding: record.payload.bytes) { return begin.commitTime }
    } catch {
      // A Begin that does not read as one has no time; `decode` and `check` tell of damage.
    }
    return nil
  }
}
