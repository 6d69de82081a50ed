import Glibc
import PGOutput

/// The directory of a log: which segments there are and how they are named.
struct LogDirectory: Sendable {
  let path: String
  var calls = FileCalls.system

  static let suffix = ".lz4"
  /// A segment that is being made: renamed once its header is on disk, removed at recovery.
  static let unfinishedSuffix = ".lz4.new"

  static func name(_ start: LSN) -> String {
    let digits = String(start.rawValue, radix: 16, uppercase: true)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  func segmentPath(_ start: LSN) -> String { "\(path)/\(Self.name(start))\(Self.suffix)" }
  func unfinishedPath(_ start: LSN) -> String { "\(path)/\(Self.name(start))\(Self.unfinishedSuffix)" }

  /// Creates the directory, one level, if it is missing; its name is not durable yet.
  func create() throws(ChangeLogError) { _ = try Directory.make(path, calls) }

  /// The starts of the segments, ascending. A missing directory has none.
  func segments() throws(ChangeLogError) -> [LSN] {
    try Directory.names(in: path).compactMap(Self.start).sorted()
  }

  /// A segment's file; nil when it is not there.
  func file(_ start: LSN) throws(ChangeLogError) -> LogFile? {
    do throws(ChangeLogError) {
      return try LogFile(path: segmentPath(start), mode: .read)
    } catch .io("open", _, ENOENT) {
      return nil
    }
  }

  /// When a segment's file was written last, in seconds since 1970; nil when it is not there.
  func writtenAt(_ start: LSN) -> Int64? {
    var info = stat()
    return stat(segmentPath(start), &info) == 0 ? Int64(info.st_mtim.tv_sec) : nil
  }

  /// Removes what a crash left of segments that were never finished.
  func removeUnfinished() throws(ChangeLogError) {
    for name in try Directory.names(in: path) where name.hasSuffix(Self.unfinishedSuffix) {
      try Directory.remove("\(path)/\(name)", calls)
    }
  }

  /// Makes created and renamed names durable.
  func sync() throws(ChangeLogError) { try Directory.sync(path, calls) }

  /// The start that a file name says; nil when it is not a segment's.
  static func start(_ name: String) -> LSN? {
    guard name.utf8.count == 16 + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
    let digits = name.prefix(16)
    guard digits.utf8.allSatisfy({ (48...57).contains($0) || (65...70).contains($0) }) else { return nil }
    return UInt64(digits, radix: 16).map(LSN.init(rawValue:))
  }
}
