public import PGOutput

/// What a log holds, read without its lock, also while another process writes it.
public struct LogSummary: Hashable, Sendable {
  /// Whose changes these are, as the newest segment says.
  public let origin: OriginIdentity
  /// The first position held: where a reader may begin.
  public let start: LSN
  /// End of the last whole transaction; `start` when there is none.
  public let end: LSN
  /// Everything up to here is in the log.
  public let watermark: LSN
  /// How many segments there are.
  public let segments: Int
  /// Bytes of their files.
  public let bytes: UInt64
}

extension ChangeLogWriter {
  /// Looks at the log in `directory`; nil when there is none. Announcements are read, data are not.
  public static func inspect(directory path: String) throws(ChangeLogError) -> LogSummary? {
    let directory = LogDirectory(path: path)
    let starts = try directory.segments()
    guard let first = starts.first, let last = starts.last else { return nil }
    var bytes: UInt64 = 0
    for start in starts { bytes += try directory.file(start)?.size() ?? 0 }
    let file = try LogFile(path: directory.segmentPath(last), mode: .read)
    let header = try SegmentScanner.header(of: file)
    var end = last
    if starts.count > 1 {
      if let before = try directory.file(starts[starts.count - 2]) {
        var scanner = try SegmentScanner(file: before, from: 0)
        end = try scanner.sealedIndex()?.end ?? last
      }
    }
    var watermark = last
    var scanner = try SegmentScanner(file: file, from: UInt64(header.frameSize))
    scan: while true {
      switch try scanner.next(verify: false) {
      case .data(let announcement), .watermark(let announcement):
        if announcement.lastCommitEnd.isValid { end = announcement.lastCommitEnd }
        watermark = max(watermark, announcement.watermark)
      case .index(let index):
        watermark = max(watermark, index.watermark)
      case .end, .incomplete, .bad: break scan
      }
    }
    return LogSummary(
      origin: header.origin, start: first, end: end, watermark: watermark, segments: starts.count,
      bytes: bytes)
  }
}
