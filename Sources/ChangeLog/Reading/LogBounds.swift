public import PGOutput

/// From where to where a log reaches.
public struct LogBounds: Hashable, Sendable {
  /// The first position that is held, or can be restored: where a reader may begin.
  public let start: LSN
  /// Everything up to here is in the log; nil where the newest segment is damaged, and how far it reaches is not known.
  public let watermark: LSN?
  /// Whose changes these are, as the newest segment says.
  public let origin: OriginIdentity
}

extension LogSource {
  /// The log's bounds; nil where there is none. Of the segments only the newest is looked at, and of that the
  /// announcements.
  public func bounds() throws(ChangeLogError) -> LogBounds? {
    let log = LogDirectory(path: directory)
    let segments = try log.segments()
    let shelf = SegmentShelf(directory: log, restore: restore)
    guard !segments.isEmpty, let first = try shelf.starts().first else { return nil }
    var failure: ChangeLogError?
    for segment in segments.reversed() {
      do throws(ChangeLogError) {
        let file = try LogFile(path: log.segmentPath(segment), mode: .read)
        let header = try SegmentScanner.header(of: file)
        let watermark = failure == nil ? try Self.watermark(of: file, header) : nil
        return LogBounds(start: first, watermark: watermark, origin: header.origin)
      } catch {
        guard case .damaged = error else { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return nil
  }

  private static func watermark(of file: LogFile, _ header: SegmentHeader) throws(ChangeLogError) -> LSN? {
    var watermark = header.start
    var scanner = try SegmentScanner(file: file, from: UInt64(header.frameSize))
    while true {
      switch try scanner.next(verify: false) {
      case .data(let announcement), .watermark(let announcement):
        watermark = max(watermark, announcement.watermark)
      case .index(let index): return max(watermark, index.watermark)
      case .end, .incomplete: return watermark
      case .bad: return nil
      }
    }
  }
}
