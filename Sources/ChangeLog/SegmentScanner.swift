/// What stands at an offset of a segment.
enum ScannedFrame {
  /// An announcement with its data frame right after it.
  case data(Announcement)
  case watermark(Announcement)
  case index(SegmentIndex)
  /// The file ends here, between two frames.
  case end
  /// The file ends within a frame.
  case incomplete
  case bad(reason: String)

  /// Whether the file ends before the frame does.
  var isMissing: Bool {
    switch self {
    case .end, .incomplete: true
    case .data, .watermark, .index, .bad: false
    }
  }
}

/// Walks a segment's frames from a given offset, without decompressing them.
///
/// `offset` moves past a frame only when it is sound; what is incomplete or bad stays where it is.
struct SegmentScanner {
  let file: LogFile
  private(set) var offset: UInt64
  /// Bytes of the file that count; what is written later is seen after `seek`.
  private(set) var limit: UInt64
  /// Everything scanned so far, when asked to hash.
  private(set) var hasher: SegmentHasher?
  private let window = ByteBuffer(capacity: 256 << 10)
  /// Bytes read at a time: all of the window when data are wanted; when only announcements are, a little, and more while
  /// they stand close together.
  private var ahead = 8 << 10
  private var windowStart: UInt64 = 0
  private var isWhole = false

  /// A scanner at `offset`; with `hasher`, what it passes over is hashed into it.
  init(file: LogFile, from offset: UInt64, hasher: SegmentHasher? = nil) throws(ChangeLogError) {
    self.file = file
    self.offset = offset
    self.hasher = hasher
    limit = try file.size()
  }

  /// Goes to `offset`, and takes in what was written since.
  mutating func seek(_ offset: UInt64) throws(ChangeLogError) {
    self.offset = offset
    limit = try file.size()
    window.count = 0
  }

  /// The header at the start of the file.
  static func header(of file: LogFile) throws(ChangeLogError) -> SegmentHeader {
    let buffer = ByteBuffer(capacity: 4 << 10)
    defer { withExtendedLifetime(buffer) {} }
    let memory = UnsafeMutableRawBufferPointer(start: buffer.base, count: buffer.capacity)
    buffer.count = try file.read(at: 0, into: memory)
    return try SegmentHeader(decoding: buffer.bytes, file: file.path)
  }

  /// The next frame. With `verify`, the data's checksum is compared; otherwise data are passed over unread.
  mutating func next(verify: Bool) throws(ChangeLogError) -> ScannedFrame {
    isWhole = verify || hasher != nil
    let left = limit > offset ? limit - offset : 0
    if left == 0 { return .end }
    guard left >= UInt64(LogFormat.framePrefix) else { return .incomplete }
    let prefix = try bytes(at: offset, count: LogFormat.framePrefix)
    guard prefix.count == LogFormat.framePrefix else { return .incomplete }
    switch prefix.littleEndianWord(at: 0) {
    case LogFormat.announcementMagic: return try announced(left, verify)
    case LogFormat.indexMagic: return try indexed(left, length: prefix.littleEndianWord(at: 4))
    default: return .bad(reason: "no frame of a change log starts here")
    }
  }

  private mutating func announced(_ left: UInt64, _ verify: Bool) throws(ChangeLogError) -> ScannedFrame {
    guard left >= UInt64(Announcement.frameSize) else { return .incomplete }
    let frame = try bytes(at: offset, count: Announcement.frameSize)
    guard frame.count == Announcement.frameSize else { return .incomplete }
    guard let announcement = Announcement(decoding: frame) else {
      return .bad(reason: "the announcement's checksum does not match")
    }
    let length = UInt64(announcement.storedLength)
    guard left - UInt64(Announcement.frameSize) >= length else { return .incomplete }
    var advanced = hasher
    advanced?.update(frame)
    if verify || advanced != nil {
      var crc = CRC32C()
      var at = offset + UInt64(Announcement.frameSize)
      let end = at + length
      while at < end {
        let piece = try bytes(at: at, count: Int(min(end - at, 256 << 10)))
        guard !piece.isEmpty else { return .incomplete }
        crc.update(piece)
        advanced?.update(piece)
        at += UInt64(piece.count)
      }
      if length > 0 && crc.value != announcement.dataChecksum {
        return .bad(reason: "the data frame's checksum does not match its announcement")
      }
    }
    hasher = advanced
    offset += UInt64(Announcement.frameSize) + length
    return announcement.isWatermark ? .watermark(announcement) : .data(announcement)
  }

  private mutating func indexed(_ left: UInt64, length: UInt32) throws(ChangeLogError) -> ScannedFrame {
    let size = UInt64(LogFormat.framePrefix) + UInt64(length)
    guard left >= size else { return .incomplete }
    guard size <= 256 << 20 else { return .bad(reason: "an index of \(size) bytes") }
    let frame = ByteBuffer(capacity: Int(size))
    defer { withExtendedLifetime(frame) {} }
    let memory = UnsafeMutableRawBufferPointer(start: frame.base, count: Int(size))
    frame.count = try file.read(at: offset, into: memory)
    guard frame.count == Int(size) else { return .incomplete }
    guard let index = SegmentIndex(decoding: frame.bytes) else {
      return .bad(reason: "the index's checksum does not match")
    }
    guard index.bodyLength == offset else {
      return .bad(reason: "the index belongs at byte \(index.bodyLength)")
    }
    if let hasher, hasher.digest != index.digest {
      return .bad(reason: "the segment's digest is not the one its index holds")
    }
    hasher?.update(frame.bytes)
    offset += size
    return .index(index)
  }

  /// Up to `count` bytes of the file, valid until the next call; fewer only at the file's end.
  private mutating func bytes(at start: UInt64, count: Int) throws(ChangeLogError) -> UnsafeRawBufferPointer {
    if start < windowStart || start + UInt64(count) > windowStart + UInt64(window.count) {
      let isNear = window.count > 0 && start >= windowStart && start <= windowStart + UInt64(window.count)
      ahead = isWhole ? window.capacity : isNear ? min(ahead * 2, window.capacity) : 8 << 10
      let memory = UnsafeMutableRawBufferPointer(start: window.base, count: max(ahead, count))
      window.count = try file.read(at: start, into: memory)
      windowStart = start
    }
    let from = Int(start - windowStart)
    return window.slice(from..<min(from + count, window.count))
  }
}
