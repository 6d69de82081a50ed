import Glibc
public import PGOutput

/// What of a log the archive holds: the file `archived` beside the segments, a line a segment, only ever appended to.
///
/// It is how an older segment's name and digest are known when its file is gone. A last line that is not whole was
/// being written when its process ended: that segment is archived again.
public struct ArchiveCatalogue: Hashable, Sendable {
  /// The segments, in order; of one that was noted twice the later note.
  public private(set) var segments: [ArchivedSegment] = []

  static let fileName = "archived"
  private static let title = "crossfade archive catalogue "
  private static let version: UInt32 = 1

  /// The segment with this start.
  public subscript(start: LSN) -> ArchivedSegment? {
    let at = position(of: start)
    return at < segments.count && segments[at].start == start ? segments[at] : nil
  }

  /// Up to where everything is archived without a gap, from the first one on; nil when nothing is.
  public var through: LSN? {
    guard var reached = segments.first?.watermark else { return nil }
    for segment in segments.dropFirst() where segment.start == reached { reached = segment.watermark }
    return reached
  }

  /// The archived segments that lead up to `start` without a gap, in order.
  func leading(to start: LSN) -> [ArchivedSegment] {
    var found: [ArchivedSegment] = []
    var next = start
    for segment in segments.reversed() where segment.watermark == next {
      found.append(segment)
      next = segment.start
    }
    return found.reversed()
  }

  private func position(of start: LSN) -> Int {
    var (low, high) = (0, segments.count)
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].start < start { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func note(_ segment: ArchivedSegment) {
    let at = position(of: segment.start)
    if at < segments.count, segments[at].start == segment.start {
      segments[at] = segment
    } else {
      segments.insert(segment, at: at)
    }
  }
}

extension ArchiveCatalogue {
  /// Reads the catalogue of the log in `directory`; empty when there is none.
  public static func load(directory: String) throws(ChangeLogError) -> ArchiveCatalogue {
    do throws(ChangeLogError) {
      let file = try LogFile(path: "\(directory)/\(fileName)", mode: .read)
      return try read(file).catalogue
    } catch .io(_, _, ENOENT) {
      return ArchiveCatalogue()
    }
  }

  /// Bytes of its file; nil when there is none.
  static func size(directory: String) -> Int? {
    var info = stat()
    return stat("\(directory)/\(fileName)", &info) == 0 ? Int(info.st_size) : nil
  }

  /// Makes an empty catalogue, durably, where there is none.
  static func begin(directory: String, calls: FileCalls) throws(ChangeLogError) {
    guard access("\(directory)/\(fileName)", F_OK) != 0 else { return }
    try write(nil, directory, calls)
  }

  /// Notes a segment, durably. Two processes may do so at once.
  static func append(
    _ segment: ArchivedSegment, directory: String, calls: FileCalls = .system
  ) throws(ChangeLogError) {
    try write(segment, directory, calls)
  }

  private static func write(
    _ segment: ArchivedSegment?, _ directory: String, _ calls: FileCalls
  ) throws(ChangeLogError) {
    let path = "\(directory)/\(fileName)"
    let lock = try FileLock(path: path)
    defer { withExtendedLifetime(lock) {} }
    let file = try LogFile(path: path, mode: .write, calls: calls)
    let (_, length) = try read(file)
    // What was not written whole is in the way of the next line.
    if try file.size() > length { try file.truncate(to: length) }
    let text = (length == 0 ? "\(title)\(version)\n" : "") + (segment.map { $0.line + "\n" } ?? "")
    let written = ByteBuffer(capacity: text.utf8.count)
    defer { withExtendedLifetime(written) {} }
    written.append(text.utf8)
    do throws(ChangeLogError) {
      try file.write(written.bytes, at: length)
      try file.sync()
    } catch {
      // A line that may not be on disk is not to be read either.
      try file.truncate(to: length)
      throw error
    }
    try Directory.sync(directory, calls)
  }

  /// What the file says, and up to where it is whole.
  private static func read(_ file: LogFile) throws(ChangeLogError) -> (catalogue: Self, length: UInt64) {
    let bytes = try file.contents()
    var catalogue = ArchiveCatalogue()
    var length = 0
    var isTitle = true
    while let end = bytes[length...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: bytes[length..<end], as: UTF8.self)
      if isTitle {
        guard line.hasPrefix(title), let found = UInt32(line.dropFirst(title.count)) else {
          throw .damaged(file: file.path, offset: 0, reason: "it is no archive catalogue")
        }
        guard found == version else { throw .unknownVersion(file: file.path, version: found) }
        isTitle = false
      } else if let segment = ArchivedSegment(line: line[...]) {
        catalogue.note(segment)
      } else {
        // Only what was written last may be torn.
        guard end == bytes.count - 1 else {
          throw .damaged(
            file: file.path, offset: UInt64(length), reason: "the line is not as it was written")
        }
        break
      }
      length = end + 1
    }
    return (catalogue, UInt64(length))
  }
}
