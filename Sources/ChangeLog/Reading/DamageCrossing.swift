import Glibc
import PGOutput

/// Finds where a log can be read again behind damage.
///
/// Rules:
/// - reading goes on at a frame whose bytes match their announcement, and which begins outside of a transaction;
/// - a table's description that may stand in what is lost makes every change after it doubtful: then nothing counts before
///   the descriptions are repeated, at the head of the next segment;
/// - where an announcement itself is damaged, the next one is found by its magic number and checksum.
struct DamageCrossing {
  /// A place to go on, and the descriptions known there.
  struct Way {
    var cursor: LogCursor
    var relations: KnownRelations
  }

  private let directory: LogDirectory

  init(_ source: LogSource) { directory = LogDirectory(path: source.directory) }

  /// The way past what `cursor` could not read; nil when nothing sound follows.
  ///
  /// - Parameters:
  ///   - cursor: nil when reading could not even begin: then from the head of the segment that should hold `after`.
  ///   - resumed: where it went on after damage before. Met again right there, that frame is stepped over.
  func way(past cursor: UnitCursor?, _ resumed: LogCursor?, after: Position?) throws(ChangeLogError) -> Way? {
    if let cursor {
      let place = cursor.reader.cursor
      return try way(
        in: place.segment, from: place.offset, known: try cursor.passedRelations(), passing: place == resumed)
    }
    let segments = try directory.segments()
    let wanted = after.flatMap { after in segments.last { $0 <= after.endLSN } } ?? segments.first
    guard let wanted else { return nil }
    return try head(of: wanted)
  }

  /// From a segment's head. Where its header is damaged, from the first frame that is found in it.
  private func head(of segment: LSN) throws(ChangeLogError) -> Way? {
    guard let file = try open(segment) else { return try next(after: segment) }
    do throws(ChangeLogError) {
      let header = try SegmentScanner.header(of: file)
      return try way(in: segment, from: UInt64(header.frameSize), known: KnownRelations(), passing: false)
    } catch {
      guard case .damaged = error else { throw error }
      return try way(in: segment, from: 0, known: nil, passing: false)
    }
  }

  private func next(after segment: LSN) throws(ChangeLogError) -> Way? {
    guard let next = try directory.segments().first(where: { $0 > segment }) else { return nil }
    return try head(of: next)
  }

  /// - Parameters:
  ///   - known: the descriptions up to `offset`; nil when some may be lost.
  ///   - passing: whether the frame at `offset` is of no use, though it looks sound.
  private func way(
    in segment: LSN, from offset: UInt64, known: KnownRelations?, passing: Bool
  ) throws(ChangeLogError) -> Way? {
    guard let file = try open(segment) else { return try next(after: segment) }
    let frames = try FrameReader()
    var scanner = try SegmentScanner(file: file, from: offset)
    let index = try? scanner.sealedIndex()
    try scanner.seek(offset)
    var known = known
    var passing = passing
    while true {
      let at = scanner.offset
      switch try scanner.next(verify: true) {
      case .data(let announcement):
        let flags = announcement.flags
        if passing {
          passing = false
          if flags.contains(.relations) { known = nil }
        } else if flags.contains(.repeated) {
          known = KnownRelations()
          try? known?.noteAll(frames.read(announcement, at: at, of: file))
        } else if flags.contains(.beginsInside) {
          guard flags.contains(.relations) else { continue }
          do throws(ChangeLogError) {
            try known?.noteAll(frames.read(announcement, at: at, of: file))
          } catch {
            known = nil
          }
        } else if let known {
          return Way(cursor: LogCursor(segment: segment, offset: at), relations: known)
        }
      case .watermark: continue
      case .index, .end, .incomplete: return try next(after: segment)
      case .bad:
        // The announcement may be sound, and tell what is lost; its frame is passed over.
        if case .data(let announcement) = try scanner.next(verify: false) {
          if announcement.flags.contains(.relations) { known = nil }
          continue
        }
        guard let found = try Self.announcement(in: file, from: at + 1) else {
          return try next(after: segment)
        }
        let lost = at..<found
        if index?.relationOffsets.contains(where: { lost.contains($0) }) ?? true { known = nil }
        try scanner.seek(found)
      }
    }
  }

  private func open(_ segment: LSN) throws(ChangeLogError) -> LogFile? {
    do throws(ChangeLogError) {
      return try LogFile(path: directory.segmentPath(segment), mode: .read)
    } catch .io(_, _, ENOENT) {
      return nil
    }
  }

  /// Where the next sound announcement stands.
  private static func announcement(in file: LogFile, from start: UInt64) throws(ChangeLogError) -> UInt64? {
    let buffer = ByteBuffer(capacity: 256 << 10)
    defer { withExtendedLifetime(buffer) {} }
    var at = start
    while true {
      buffer.count = try file.read(
        at: at, into: UnsafeMutableRawBufferPointer(start: buffer.base, count: buffer.capacity))
      guard buffer.count >= Announcement.frameSize else { return nil }
      let last = buffer.count - Announcement.frameSize
      for place in 0...last where buffer.bytes.littleEndianWord(at: place) == LogFormat.announcementMagic {
        if Announcement(decoding: buffer.slice(place..<place + Announcement.frameSize)) != nil {
          return at + UInt64(place)
        }
      }
      at += UInt64(last + 1)
    }
  }
}
