import PGOutput

/// Reads frames from files, from segment to segment, up to a limit that someone else has set.
final class SegmentFollower {
  enum Step {
    case frame(Announcement, LogBytes?, next: LogCursor)
    /// The segment is sealed; the next one starts here.
    case moved(LogCursor)
    /// The segment is sealed, and the next one, which starts here, is not there.
    case waiting(next: LSN)
  }

  private let shelf: SegmentShelf
  private let frames: FrameReader
  private var open: (segment: LSN, scanner: SegmentScanner)?

  /// The file of a segment.
  func file(_ start: LSN) throws(ChangeLogError) -> LogFile { try segment(start).file }

  init(shelf: SegmentShelf) throws(ChangeLogError) {
    self.shelf = shelf
    frames = try FrameReader()
  }

  /// The frame at `cursor`, which is known to be whole; its data are read only when its announcement is wanted.
  func step(at cursor: LogCursor, wanting wants: (Announcement) -> Bool) throws(ChangeLogError) -> Step {
    var scanner = try segment(cursor.segment)
    // Always afresh: what was read ahead before may have been cut off and written anew since.
    try scanner.seek(cursor.offset)
    let frame = try scanner.next(verify: false)
    if frame.isMissing, open?.segment == cursor.segment, scanner.file.isUnlinked {
      // A segment without a position is replaced when the timeline grows (`SegmentMaker.roll`).
      reopen()
      return try step(at: cursor, wanting: wants)
    }
    open = (cursor.segment, scanner)
    switch frame {
    case .data(let announcement):
      let bytes =
        wants(announcement) ? try frames.read(announcement, at: cursor.offset, of: scanner.file) : nil
      return .frame(announcement, bytes, next: LogCursor(segment: cursor.segment, offset: scanner.offset))
    case .watermark(let announcement):
      return .frame(announcement, nil, next: LogCursor(segment: cursor.segment, offset: scanner.offset))
    case .index(let index):
      guard let file = try shelf.next(index.watermark) else { return .waiting(next: index.watermark) }
      let header = try SegmentScanner.header(of: file)
      open = (index.watermark, try SegmentScanner(file: file, from: UInt64(header.frameSize)))
      return .moved(LogCursor(segment: index.watermark, offset: UInt64(header.frameSize)))
    case .bad(let reason):
      throw .damaged(file: scanner.file.path, offset: cursor.offset, reason: reason)
    case .end, .incomplete:
      throw .damaged(
        file: scanner.file.path, offset: cursor.offset, reason: "the file ends before the log does")
    }
  }

  /// Lets go of the file it has open: it was replaced.
  func reopen() { open = nil }

  /// A scanner over a segment's file, kept open from call to call.
  private func segment(_ start: LSN) throws(ChangeLogError) -> SegmentScanner {
    if let open, open.segment == start { return open.scanner }
    return try SegmentScanner(file: shelf.open(start), from: 0)
  }
}
