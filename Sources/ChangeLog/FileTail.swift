import Glibc
import PGOutput

/// Where a reader of another process may go: the end of the last whole transaction in the files, found by looking
/// ahead over the announcements.
///
/// The writer may cut what lies past the last whole transaction and write there anew, so what was looked at past
/// it is not trusted twice: when it stops making sense, the look ahead starts over.
struct FileTail {
  private let path: String
  private var watch: DirectoryWatch?
  private(set) var limit: LogCursor
  private var ahead: UInt64
  /// How often nothing new was found where we look.
  private var quiet = 0
  /// How often what follows the limit made no sense: a write can be seen half done, but not again and again.
  private var mistrusted = 0
  private var scanner: SegmentScanner?

  init(directory: LogDirectory, from cursor: LogCursor) {
    path = directory.path
    limit = cursor
    ahead = cursor.offset
  }

  /// Goes on in another segment.
  mutating func move(to cursor: LogCursor) {
    limit = cursor
    ahead = cursor.offset
    mistrusted = 0
    scanner = nil
  }

  /// Looks on until a whole transaction ends; false when there is none yet.
  mutating func lookAhead(_ follower: SegmentFollower) throws(ChangeLogError) -> Bool {
    var scanner: SegmentScanner
    if let kept = self.scanner {
      scanner = kept
    } else {
      scanner = try SegmentScanner(file: follower.file(limit.segment), from: ahead)
    }
    try scanner.seek(ahead)
    var replaced = false
    var startedOver = false
    defer { self.scanner = replaced ? nil : scanner }
    while true {
      switch try scanner.next(verify: false) {
      case .data(let announcement) where announcement.flags.contains(.endsInside):
        ahead = scanner.offset
        quiet = 0
        continue
      case .data, .watermark, .index:
        limit.offset = scanner.offset
        ahead = limit.offset
        quiet = 0
        mistrusted = 0
        return true
      case .end where scanner.limit == ahead && quiet < 2:
        quiet += 1
        if scanner.file.isUnlinked {
          follower.reopen()
          replaced = true
        }
        return false
      case .bad(let reason) where ahead == limit.offset:
        guard mistrusted < 3 else { throw .damaged(file: scanner.file.path, offset: ahead, reason: reason) }
        mistrusted += 1
        return false
      case .end, .incomplete, .bad:
        quiet = 0
        let isBeyond = ahead > limit.offset
        ahead = limit.offset
        // Once: a tail torn inside a transaction looks the same again, until someone writes.
        guard isBeyond, !startedOver else { return false }
        startedOver = true
        try scanner.seek(ahead)
      }
    }
  }

  /// Waits for something to be written. The first time it only begins to watch, and returns at once: what was
  /// written before that has not been seen, and a reader that never waits needs no watch, which is slow to close.
  mutating func wait(until deadline: MonotonicTime?) {
    guard let watch else {
      watch = DirectoryWatch(path)
      return
    }
    watch.wait(milliseconds: deadline?.millisecondsLeft ?? .max)
  }
}
