import PGOutput

/// Where a segment stands: all that must be put back when bytes are cut from its end. A value, so that the state
/// at the last whole transaction is a copy.
struct SegmentState {
  let header: SegmentHeader
  /// Bytes of the file.
  private(set) var offset: UInt64
  private(set) var hasher: SegmentHasher
  private(set) var counts = LogCounts()
  /// Announcements, with data and without.
  private(set) var frames: UInt64 = 0
  /// End of the last whole transaction in the log.
  private(set) var end: LSN
  /// Everything up to here is in the log.
  private(set) var watermark: LSN
  /// Whether a transaction is open.
  private(set) var inside = false
  var relations: KnownRelations
  private var entries: [SegmentIndex.Entry] = []
  private var relationOffsets: [UInt64] = []

  var start: LSN { header.start }

  /// A segment of which only the header stands; `headerBytes` are its bytes.
  init(header: SegmentHeader, headerBytes: UnsafeRawBufferPointer, end: LSN, relations: KnownRelations) {
    self.header = header
    self.end = end
    self.relations = relations
    watermark = header.start
    offset = UInt64(headerBytes.count)
    hasher = SegmentHasher()
    hasher.update(headerBytes)
  }

  /// The place right after the last frame.
  var cursor: LogCursor { LogCursor(segment: start, offset: offset) }

  /// Takes in a frame that is to stand at `offset`: its announcement and all of its bytes.
  mutating func take(_ announcement: Announcement, bytes: UnsafeRawBufferPointer) {
    var advanced = hasher
    advanced.update(bytes)
    take(announcement, hasher: advanced)
  }

  /// Takes in a frame that stands at `offset`: its announcement and the hash up to its end.
  mutating func take(_ announcement: Announcement, hasher: SegmentHasher) {
    if announcement.flags.contains(.relations) { relationOffsets.append(offset) }
    if !announcement.flags.contains(.beginsInside), !announcement.flags.contains(.repeated),
      offset - (entries.last?.offset ?? 0) >= LogFormat.indexStride
    {
      entries.append(SegmentIndex.Entry(position: end, offset: offset))
    }
    self.hasher = hasher
    offset += UInt64(Announcement.frameSize) + UInt64(announcement.storedLength)
    counts.add(announcement)
    frames += 1
    if announcement.lastCommitEnd.isValid { end = announcement.lastCommitEnd }
    watermark = max(watermark, announcement.watermark)
    if !announcement.isWatermark { inside = announcement.flags.contains(.endsInside) }
  }

  /// The index that seals the segment as it stands.
  func index() -> SegmentIndex {
    var index = SegmentIndex(start: start, end: end, watermark: watermark)
    index.counts = counts
    index.bodyLength = offset
    index.digest = hasher.digest
    index.entries = entries
    index.relationOffsets = relationOffsets
    return index
  }
}
