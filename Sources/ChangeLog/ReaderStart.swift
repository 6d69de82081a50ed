import PGOutput

/// Finds where a reader begins: the last transaction boundary at or before its position, and the relations known there.
struct ReaderStart {
  private(set) var cursor: LogCursor
  private(set) var relations = KnownRelations()
  /// Everything up to here is in the log, as far as was looked.
  private(set) var held: LSN
  /// Everything up to here is in the log before the cursor.
  private(set) var passed: LSN

  init(shelf: SegmentShelf, after: LSN) throws(ChangeLogError) {
    let segments = try shelf.starts()
    guard let oldest = segments.first else { throw .noLog(directory: shelf.directory.path) }
    guard let start = segments.last(where: { $0 <= after }) else {
      throw .pruned(asked: after, firstHeld: oldest)
    }
    let file = try shelf.open(start)
    let header = try SegmentScanner.header(of: file)
    let frames = try FrameReader()
    cursor = LogCursor(segment: start, offset: UInt64(header.frameSize))
    held = start
    passed = start
    var scanner = try SegmentScanner(file: file, from: cursor.offset)
    if let index = try scanner.sealedIndex(), let entry = index.entries.last(where: { $0.position <= after })
    {
      for offset in index.relationOffsets where offset < entry.offset {
        try scanner.seek(offset)
        guard case .data(let announcement) = try scanner.next(verify: false) else {
          throw .damaged(file: file.path, offset: offset, reason: "the index names a frame that is not there")
        }
        try relations.noteAll(frames.read(announcement, at: offset, of: file))
      }
      cursor.offset = entry.offset
      held = entry.position
      try scanner.seek(entry.offset)
    } else {
      try scanner.seek(cursor.offset)
    }
    var passing: [(Announcement, UInt64)] = []
    scan: while true {
      let at = scanner.offset
      switch try scanner.next(verify: false) {
      case .data(let announcement), .watermark(let announcement):
        held = max(held, announcement.watermark)
        if announcement.lastCommitEnd > after { break scan }
        if announcement.flags.contains(.relations) { passing.append((announcement, at)) }
        guard !announcement.flags.contains(.endsInside), announcement.lastCommitEnd <= after else { continue }
        for (announcement, at) in passing {
          try relations.noteAll(frames.read(announcement, at: at, of: file))
        }
        passing.removeAll()
        passed = max(passed, announcement.watermark)
        cursor.offset = scanner.offset
      case .index(let index):
        held = max(held, index.watermark)
        break scan
      case .bad(let reason) where held < after:
        // The log may well hold it: it cannot be read that far.
        throw .damaged(file: file.path, offset: at, reason: reason)
      case .end, .incomplete, .bad: break scan
      }
    }
    if held < after, start != segments.last {
      throw .damaged(
        file: shelf.directory.segmentPath(held), offset: 0,
        reason: "the segment is missing, but another follows")
    }
  }
}

extension SegmentScanner {
  /// The index at the end of the file, if the segment is sealed: its last eight bytes say how long it is.
  mutating func sealedIndex() throws(ChangeLogError) -> SegmentIndex? {
    let tail = ByteBuffer(capacity: 64)
    defer { withExtendedLifetime(tail) {} }
    guard limit > 128 else { return nil }
    tail.count = try file.read(at: limit - 8, into: UnsafeMutableRawBufferPointer(start: tail.base, count: 8))
    guard tail.count == 8 else { return nil }
    let length = UInt64(tail.bytes.bigEndian(at: 0, as: UInt32.self))
    guard length >= 128, length < limit else { return nil }
    try seek(limit - length)
    guard case .index(let index) = try next(verify: false) else { return nil }
    return index
  }
}
