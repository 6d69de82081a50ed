import Glibc
import PGOutput
import Synchronization

/// Brings a segment back, and takes nothing for it but the very bytes that were archived.
///
/// The file loses its name as soon as it is open: it is gone when its reader lets go of it, however that ends.
struct SegmentRestorer: Sendable {
  let restore: LogRestore
  let directory: String

  /// How often a command is asked that brings back something else.
  private static let attempts = 3
  private static let number = Atomic<Int>(0)
  /// How many are at work in this process.
  static let underWay = Atomic<Int>(0)

  private var cache: String { restore.cache ?? "\(directory)/restored" }

  func file(
    _ wanted: ArchivedSegment, attempts: Int = Self.attempts, isStopped: () -> Bool = { false }
  ) throws(ChangeLogError) -> LogFile {
    Self.underWay.add(1, ordering: .sequentiallyConsistent)
    defer { Self.underWay.subtract(1, ordering: .sequentiallyConsistent) }
    try LogDirectory(path: cache).create()
    removeLeftovers()
    var reason = ""
    for _ in 0..<attempts {
      // Who asked while a command was at work counts on being heard, though that one has ended well.
      if restore.isStopped { throw .notRestored(segment: wanted.name, reason: "it was interrupted") }
      let unique = Self.number.add(1, ordering: .relaxed).newValue
      let path = "\(cache)/\(wanted.name).\(getpid()).\(unique)"
      defer { unlink(path) }
      let outcome = restore.command.run(path: path, name: wanted.name) { isStopped() || restore.isStopped }
      guard outcome.isDone else {
        throw .notRestored(segment: wanted.name, reason: "the restore command \(outcome)")
      }
      do throws(ChangeLogError) {
        let file = try LogFile(path: path, mode: .read, finalPath: "\(wanted.name), restored")
        guard let difference = try Self.difference(file, wanted) else {
          if restore.isStopped { break }
          return file
        }
        reason = difference
      } catch .io("open", _, ENOENT) {
        throw .notRestored(
          segment: wanted.name, reason: "the restore command ended with status 0, but brought no file")
      }
    }
    if restore.isStopped { throw .notRestored(segment: wanted.name, reason: "it was interrupted") }
    throw .restoredFalse(segment: wanted.name, reason: reason)
  }

  /// In what the file is not the one that was archived; nil when it is.
  static func difference(_ file: LogFile, _ wanted: ArchivedSegment) throws(ChangeLogError) -> String? {
    let size = try file.size()
    guard size == wanted.bytes else { return "it has \(size) bytes, and \(wanted.bytes) were archived" }
    let digest = try SegmentDigest.of(file)
    guard digest == wanted.digest else {
      return "its SHA-256 is \(digest), of what was archived \(wanted.digest)"
    }
    return nil
  }

  /// Removes what a process left that was killed while its command ran. One that looks dead may live where we do not
  /// see it: only what is old goes.
  private func removeLeftovers() {
    for name in (try? Directory.names(in: cache)) ?? [] {
      let parts = name.split(separator: ".")
      guard parts.count == 4, parts[1] == "lz4", let pid = Int32(parts[2]), pid > 0, pid != getpid() else {
        continue
      }
      var info = stat()
      guard kill(pid, 0) != 0, errno == ESRCH, stat("\(cache)/\(name)", &info) == 0,
        info.st_mtim.tv_sec < time(nil) - 3600
      else { continue }
      unlink("\(cache)/\(name)")
    }
  }
}
