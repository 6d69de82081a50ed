public import PGOutput

extension LogSource {
  /// What an export wrote.
  public struct Export: Hashable, Sendable {
    /// Transactions written.
    public let transactions: UInt64
    /// Their changes, and messages outside of transactions.
    public let changes: UInt64
    /// Where the last one ends; where the range begins when there is none.
    public let end: LSN
    /// The segment that was made.
    public let path: String
  }

  /// Writes the transactions after `position` that end at `through` or before as a log of one segment, in a directory
  /// that holds no log: a `.lz4` file that stands alone, with the tables it needs described first. It is durable, and
  /// has been verified, when this returns.
  public func export(
    after position: Position? = nil, through: LSN? = nil, into target: String
  ) throws(ChangeLogError) -> Export {
    let readable = try archivedSegments() + segments()
    guard let first = readable.first, let newest = readable.last else { throw .noLog(directory: directory) }
    let units = try units(after: position, through: through)
    let start = position?.endLSN ?? first.start
    var origin = newest.origin
    if let through, let last = readable.last(where: { $0.start < through }) { origin = last.origin }
    var options = ChangeLogWriter.Options(segmentBytes: .max)
    options.segmentFrames = .max
    let writer = try ChangeLogWriter.open(directory: target, origin: origin, start: start, options: options)
    var isFirst = true
    let group = RecordGroup()
    while try units.nextUnit() != nil {
      if isFirst {
        try units.knownRelations().withUnsafeBytes { records throws(ChangeLogError) in
          try group.append(records: records)
        }
      }
      isFirst = false
      while let record = try units.nextRecord() {
        try record.withUnsafePayload { payload throws(ChangeLogError) in
          group.append(walStart: record.walStart.rawValue, payload: payload)
        }
        guard group.byteCount >= 1 << 20 else { continue }
        try writer.append(group)
        group.removeAll()
      }
    }
    try writer.append(group)
    try writer.sync()
    let report = try LogVerifier.verify(directory: target)
    if let problem = report.problems.first {
      throw .damaged(file: problem.file, offset: problem.offset, reason: problem.reason)
    }
    return Export(
      transactions: report.counts.transactions, changes: report.counts.changes, end: report.end,
      path: LogDirectory(path: target).segmentPath(start))
  }
}
