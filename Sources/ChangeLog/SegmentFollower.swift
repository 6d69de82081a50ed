import Glibc
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

  private let directory: LogDirectory
  private let frames: FrameReader
  private var open: (segment: LSN, scanner: SegmentScanner)?

  /// The file of a segment.
  func file(_ start: LSN) throws(ChangeLogError) -> LogFile { try segment(start).file }

  init(directory: LogDirectory) throws(ChangeLogError) {
    self.directory = directory
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
    defer { open = (cursor.segment, scanner) }
    switch frame {
    case .data(let announcement):
      let bytes =
        wants(announcement) ? try frames.read(announcement, at: cursor.offset, of: scanner.file) : nil
      return .frame(announcement, bytes, next: LogCursor(segment: cursor.segment, offset: scanner.offset))
    case .watermark(let announcement):
      return .frame(announcement, nil, next: LogCursor(segment: cursor.segment, offset: scanner.offset))
    case .index(let index):
      let path = directory.segmentPath(index.watermark)
      guard access(path, F_OK) == 0 else { return .waiting(next: index.watermark) }
      let file = try LogFile(path: path, mode: .read)
      let header = try SegmentScanner.header(of: file)
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
    do throws(ChangeLogError) {
      let file = try LogFile(path: directory.segmentPath(start), mode: .read)
      return try SegmentScanner(file: file, from: 0)
    } catch .io(_, _, ENOENT) {
      throw .pruned(asked: start, firstHeld: try directory.segments().first ?? .invalid)
    }
  }
}
