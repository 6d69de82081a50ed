import PGOutput

/// Where a reader finds segments: in the log's directory or, with a restore command, in the archive. For one thread at a
/// time.
///
/// A restored segment is known by its digest in the catalogue, and must be the one that the next one's header names: so
/// the chain holds from what was restored to what is held.
final class SegmentShelf {
  let directory: LogDirectory
  private let restorer: SegmentRestorer?
  /// What was restored last: asked for more than once.
  private var restored: (segment: ArchivedSegment, file: LogFile)?

  init(directory: LogDirectory, restore: LogRestore? = nil) {
    self.directory = directory
    restorer = restore.map { SegmentRestorer(restore: $0, directory: directory.path) }
  }

  /// The starts of the segments that can be read, ascending, without a gap.
  func starts() throws(ChangeLogError) -> [LSN] {
    let held = try directory.segments()
    guard restorer != nil, let first = held.first else { return held }
    return try ArchiveCatalogue.load(directory: directory.path).leading(to: first).map(\.start) + held
  }

  /// A segment's file. Throws `pruned` when it is neither held nor can be restored.
  func open(_ start: LSN) throws(ChangeLogError) -> LogFile {
    if let restored, restored.segment.start == start { return restored.file }
    if let file = try directory.file(start) {
      try follow(file, start)
      restored = nil
      return file
    }
    guard let restorer, let wanted = try ArchiveCatalogue.load(directory: directory.path)[start] else {
      let starts = try self.starts()
      if let first = starts.first, let last = starts.last, first < start, start < last {
        throw .damaged(
          file: directory.segmentPath(start), offset: 0, reason: "the segment is missing, but another follows"
        )
      }
      throw .pruned(asked: start, firstHeld: starts.first ?? .invalid)
    }
    let file = try restorer.file(wanted)
    try follow(file, start)
    restored = (wanted, file)
    return file
  }

  /// The file of the segment that follows a sealed one; nil when it has not been made yet.
  func next(_ start: LSN) throws(ChangeLogError) -> LogFile? {
    if try directory.file(start) == nil {
      guard let newest = try directory.segments().last, newest > start else { return nil }
    }
    return try open(start)
  }

  /// Throws unless what comes after a restored segment names it.
  private func follow(_ file: LogFile, _ start: LSN) throws(ChangeLogError) {
    guard let restored, restored.segment.watermark == start else { return }
    let header = try SegmentScanner.header(of: file)
    guard header.previous == restored.segment.digest else {
      throw .restoredFalse(
        segment: restored.segment.name,
        reason: "\(LogDirectory.name(start))\(LogDirectory.suffix) follows another")
    }
  }
}
