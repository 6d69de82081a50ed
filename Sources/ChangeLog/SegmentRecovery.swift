import Glibc
import PGOutput

/// Scans the last segment when a log is opened, and finds what of it stands.
///
/// A bad or incomplete frame is a torn tail unless the file itself says otherwise: announcements carry how far the
/// file was known to be on disk, so a bad frame before such a point was once whole. That is damage, and an error - unless
/// all that can be missing belongs to a transaction that was not complete: nobody was told of it, and a crash while it
/// was being cut off leaves any part of it.
struct SegmentRecovery {
  /// The segment at the end of its last whole transaction.
  private(set) var boundary: SegmentState
  /// Set when the segment is sealed: the digest of all of its bytes.
  private(set) var sealed: SegmentDigest?
  /// Bytes of the file that stand.
  private(set) var end: UInt64
  /// Of these, what the file itself says was on disk: a writer went on only after a sync that had worked.
  private(set) var witnessed: UInt64
  private(set) var report: RecoveryReport?

  /// Reads `file` through; `end` of an empty segment is its start. Nothing is changed.
  init(_ file: LogFile) throws(ChangeLogError) {
    let header = try SegmentScanner.header(of: file)
    let headerBytes = ByteBuffer(capacity: header.frameSize)
    defer { withExtendedLifetime(headerBytes) {} }
    header.encode(into: headerBytes)
    boundary = SegmentState(
      header: header, headerBytes: headerBytes.bytes, end: header.start, relations: KnownRelations())
    end = boundary.offset
    // A segment has its name since its head is on disk.
    witnessed = boundary.offset
    var state = boundary
    var scanner = try SegmentScanner(file: file, from: state.offset, hasher: state.hasher)
    let frames = try FrameReader()
    var reason = RecoveryReport.Reason.unfinishedTransaction
    scan: while true {
      let at = scanner.offset
      switch try scanner.next(verify: true) {
      case .data(let announcement), .watermark(let announcement):
        guard announcement.isWatermark || announcement.flags.contains(.beginsInside) == state.inside,
          let hasher = scanner.hasher
        else {
          throw .damaged(file: file.path, offset: at, reason: "the frame does not continue the one before")
        }
        state.take(announcement, hasher: hasher)
        witnessed = max(
          witnessed, announcement.flags.contains(.repeated) ? scanner.offset : announcement.durableOffset)
        if announcement.flags.contains(.relations) {
          try state.relations.noteAll(frames.read(announcement, at: at, of: file))
        }
        if !state.inside { boundary = state }
      case .index:
        guard !state.inside, scanner.limit == scanner.offset else {
          throw .damaged(file: file.path, offset: at, reason: "bytes follow the index")
        }
        sealed = scanner.hasher?.digest
        end = scanner.offset
        witnessed = at
        return
      case .end: break scan
      case .incomplete, .bad:
        reason = .tornFrame
        let problem = "the frame is cut short or its checksum does not match"
        // What a head repeats was on disk, too, though it moves no watermark.
        let isHead = at == UInt64(header.frameSize) && header.previous != .none
        if try Self.claimsDurable(
          beyond: at, past: isHead ? nil : state.watermark, file: file, limit: scanner.limit)
        {
          throw .damaged(file: file.path, offset: at, reason: problem)
        }
        break scan
      }
    }
    end = boundary.offset
    witnessed = min(witnessed, end)
    guard scanner.limit > boundary.offset else { return }
    report = RecoveryReport(
      segment: file.path, offset: boundary.offset, bytesCut: scanner.limit - boundary.offset,
      position: boundary.end, reason: reason)
  }

  /// Whether a sound frame after `offset` says that the file was on disk past `offset`, and that more was whole before
  /// it than up to `watermark`; nil: whatever was whole.
  static func claimsDurable(
    beyond offset: UInt64, past watermark: LSN?, file: LogFile, limit: UInt64
  ) throws(ChangeLogError) -> Bool {
    let window = ByteBuffer(capacity: 1 << 20)
    defer { withExtendedLifetime(window) {} }
    var from = offset + 1
    while from < limit {
      let memory = UnsafeMutableRawBufferPointer(start: window.base, count: window.capacity)
      window.count = try file.read(at: from, into: memory)
      var at = 0
      while at + Announcement.frameSize <= window.count {
        // All magic numbers of ours end in these bytes; look for the first that can differ.
        guard let found = memchr(window.base + at, 0x2A, window.count - at) else { break }
        let start = window.base.distance(to: UnsafeMutableRawPointer(found)) - 1
        at = start + 2
        guard start >= 0, start + Announcement.frameSize <= window.count else { continue }
        let frame = window.slice(start..<start + Announcement.frameSize)
        if let announcement = Announcement(decoding: frame), announcement.durableOffset > offset,
          watermark.map({ announcement.watermark > $0 }) ?? true
        {
          return true
        }
        if frame.littleEndianWord(at: 0) == LogFormat.indexMagic {
          var scanner = try SegmentScanner(file: file, from: from + UInt64(start))
          if case .index = try scanner.next(verify: false) { return true }
        }
      }
      if window.count < window.capacity { return false }
      from += UInt64(window.count - Announcement.frameSize)
    }
    return false
  }
}
