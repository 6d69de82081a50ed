public import PGOutput

/// One segment of a log, read without its lock. Announcements are read, data are not.
public struct LogSegment: Hashable, Sendable {
  /// Its file.
  public let path: String
  /// Everything in it ends after this; its name.
  public let start: LSN
  /// End of its last whole transaction; `start` when there is none.
  public let end: LSN
  /// Everything up to here is in the log; of a sealed segment, where the next one starts.
  public let watermark: LSN
  /// What stands in it.
  public let counts: LogCounts
  /// Bytes of its file.
  public let bytes: UInt64
  /// Whether nothing more is appended to it.
  public let isSealed: Bool
  /// Whose changes these are.
  public let origin: OriginIdentity

  /// The name of the segment's file that starts there.
  public static func fileName(_ start: LSN) -> String { LogDirectory.name(start) + LogDirectory.suffix }

  /// How many times smaller the file is than the records in it; nil while there are none.
  public var ratio: Double? {
    counts.uncompressedBytes > 0 && bytes > 0 ? Double(counts.uncompressedBytes) / Double(bytes) : nil
  }
}

extension LogSource {
  /// The log's segments, in order. Of a sealed one only header and index are read.
  public func segments() throws(ChangeLogError) -> [LogSegment] {
    let log = LogDirectory(path: directory)
    let starts = try log.segments()
    guard !starts.isEmpty else { throw .noLog(directory: directory) }
    var segments: [LogSegment] = []
    for start in starts {
      // Retention may have dropped it meanwhile.
      guard let file = try log.file(start) else { continue }
      segments.append(try LogSegment(file, start: start))
    }
    return segments
  }
}

extension LogSource {
  /// The segments before the first that is held which `restore` can bring back, in order; none without it.
  public func archivedSegments() throws(ChangeLogError) -> [LogSegment] {
    let log = LogDirectory(path: directory)
    guard restore != nil, let first = try log.segments().first else { return [] }
    let origin = try SegmentScanner.header(of: LogFile(path: log.segmentPath(first), mode: .read)).origin
    return try ArchiveCatalogue.load(directory: directory).leading(to: first).map {
      LogSegment($0, origin: origin)
    }
  }
}

extension LogSegment {
  /// A segment as the archive's catalogue has it.
  package init(_ archived: ArchivedSegment, origin held: OriginIdentity) {
    path = archived.name
    start = archived.start
    end = archived.end
    watermark = archived.watermark
    counts = archived.counts
    bytes = archived.bytes
    isSealed = true
    var origin = held
    origin.timeline = archived.timeline
    self.origin = origin
  }

  init(_ file: LogFile, start: LSN) throws(ChangeLogError) {
    let header = try SegmentScanner.header(of: file)
    path = file.path
    self.start = start
    origin = header.origin
    bytes = try file.size()
    var scanner = try SegmentScanner(file: file, from: UInt64(header.frameSize))
    if let index = try scanner.sealedIndex() {
      (end, watermark, counts, isSealed) = (index.end, index.watermark, index.counts, true)
      return
    }
    try scanner.seek(UInt64(header.frameSize))
    var found = (end: start, watermark: start, counts: LogCounts())
    var isSealed = false
    scan: while true {
      switch try scanner.next(verify: false) {
      case .data(let announcement), .watermark(let announcement):
        if announcement.lastCommitEnd.isValid { found.end = announcement.lastCommitEnd }
        found.watermark = max(found.watermark, announcement.watermark)
        found.counts.add(announcement)
      case .index:
        isSealed = true
        break scan
      case .end, .incomplete, .bad: break scan
      }
    }
    (end, watermark, counts, self.isSealed) = (found.end, found.watermark, found.counts, isSealed)
  }
}
