import Glibc
import PGOutput

/// Archives sealed segments by a shell command: in order, the oldest first, each once, again and again until it succeeds.
///
/// What is archived is noted in the catalogue when the command has ended with status 0 and, where there is a restore
/// command, that has brought the very bytes back. A process killed in between offers the segment again: the command
/// must not mind. For one thread at a time.
public final class LogArchiver {
  /// What came of a step.
  public enum Step: Hashable, Sendable {
    /// There is nothing to archive, or the wait after a failure is not over.
    case nothing
    /// A segment was archived; verified, if it was brought back and compared.
    case archived(ArchivedSegment)
    /// It was not, so many times in a row by now; it is tried again after a wait.
    case failed(segment: String, reason: String, failures: Int, wait: Duration)
    /// It was interrupted.
    case stopped
  }

  private let directory: LogDirectory
  private let archive: ShellCommand
  private let restorer: SegmentRestorer?
  private var catalogue = ArchiveCatalogue()
  private var catalogueSize: Int?
  /// The segment that the command says it has archived, while what it archived is not seen to be right.
  private var told: LSN?
  /// The segment that could not be brought back, whatever was said of it: it is archived again.
  private var missing: LSN?
  private var retry = ArchiveRetry()
  private var hasBegun = false
  private var hasCompared = false

  /// How it stands.
  public private(set) var status = ArchiveStatus()

  /// An archiver of the log in `directory`. With `restore`, each segment is brought back once and compared before it
  /// counts as archived.
  public convenience init(directory: String, archive: ShellCommand, restore: ShellCommand? = nil) {
    self.init(directory: LogDirectory(path: directory), archive: archive, restore: restore)
  }

  init(directory: LogDirectory, archive: ShellCommand, restore: ShellCommand?) {
    self.directory = directory
    self.archive = archive
    restorer = restore.map { SegmentRestorer(restore: LogRestore($0), directory: directory.path) }
  }

  /// Archives the next segment, if there is one and it is time to; waits for the command.
  public func step(isStopped: () -> Bool = { false }) -> Step {
    var name = directory.path
    do throws(ChangeLogError) {
      let starts = try directory.segments()
      // That there is one says that nothing is to be dropped unarchived, before anything is archived too.
      if !hasBegun { try ArchiveCatalogue.begin(directory: directory.path, calls: directory.calls) }
      hasBegun = true
      try loadCatalogue()
      let next = candidate(starts)
      note(starts, next)
      guard let next, retry.isDue() else { return .nothing }
      name = LogDirectory.name(next.start) + LogDirectory.suffix
      try compareOnce(starts)
      guard let archived = try archive(next, isStopped) else { return .stopped }
      retry = ArchiveRetry()
      try loadCatalogue()
      status.archived += 1
      status.failing = nil
      note(starts, candidate(starts))
      return .archived(archived)
    } catch {
      if isStopped() { return .stopped }
      let wait = retry.fail()
      let reason = Self.reason(error)
      status.failures += 1
      status.failing = "\(name): \(reason)"
      status.lastFailure = status.failing
      return .failed(segment: name, reason: reason, failures: retry.failures, wait: wait)
    }
  }

  /// Reads the catalogue, if it has been appended to since.
  private func loadCatalogue() throws(ChangeLogError) {
    let size = ArchiveCatalogue.size(directory: directory.path)
    guard size == nil || size != catalogueSize else { return }
    catalogue = try ArchiveCatalogue.load(directory: directory.path)
    catalogueSize = size
  }

  /// The oldest sealed segment that is not archived, or not verified though it could be, and the one after it.
  private func candidate(_ starts: [LSN]) -> (start: LSN, next: LSN)? {
    let sealed = zip(starts, starts.dropFirst())
    return sealed.first { catalogue[$0.0] == nil }
      ?? (restorer == nil ? nil : sealed.first { catalogue[$0.0]?.isVerified == false })
  }

  private func note(_ starts: [LSN], _ next: (start: LSN, next: LSN)?) {
    status.through = catalogue.through
    status.waiting = starts.dropLast().count { catalogue[$0] == nil }
    if status.waiting == 0 { status.waitingSince = nil }
    guard status.waiting > 0, let next else { return }
    status.waitingSince = directory.writtenAt(next.start) ?? Int64(time(nil))
  }

  private func archive(
    _ next: (start: LSN, next: LSN), _ isStopped: () -> Bool
  ) throws(ChangeLogError) -> ArchivedSegment? {
    let path = directory.segmentPath(next.start)
    let file = try LogFile(path: path, mode: .read)
    let following = try SegmentScanner.header(
      of: LogFile(path: directory.segmentPath(next.next), mode: .read))
    let digest = try SegmentDigest.of(file)
    // What is not what was written is not to replace, or become, the good copy.
    guard digest == following.previous else {
      throw .damaged(
        file: path, offset: 0, reason: "its SHA-256 is not the one that the next segment's header has")
    }
    let segment = try LogSegment(file, start: next.start)
    var wanted = ArchivedSegment(
      start: next.start, watermark: next.next, end: segment.end, bytes: segment.bytes, counts: segment.counts,
      timeline: segment.origin.timeline, digest: digest, archivedAt: Int64(time(nil)), isVerified: false)
    if missing == next.start || (told != next.start && catalogue[next.start] == nil) {
      let outcome = archive.run(path: path, name: wanted.name, isStopped: isStopped)
      if outcome.end == .stopped { return nil }
      guard outcome.isDone else {
        throw .notArchived(segment: wanted.name, reason: "the archive command \(outcome)")
      }
      told = next.start
      missing = nil
    }
    if let restorer {
      do throws(ChangeLogError) {
        _ = try restorer.file(wanted, attempts: 1, isStopped: isStopped)
      } catch {
        if isStopped() { return nil }
        // It said that it had archived it, and the archive does not give it: it is asked again, while the good copy
        // is here.
        missing = next.start
        throw error
      }
      wanted = wanted.verified
    }
    try ArchiveCatalogue.append(wanted, directory: directory.path, calls: directory.calls)
    told = nil
    return wanted
  }

  /// Throws when a segment here is not the one that was archived under its name: it is not offered as a new one.
  private func compareOnce(_ starts: [LSN]) throws(ChangeLogError) {
    guard !hasCompared else { return }
    for (start, next) in zip(starts, starts.dropFirst()) {
      guard let archived = catalogue[start] else { continue }
      let following = try SegmentScanner.header(of: LogFile(path: directory.segmentPath(next), mode: .read))
      guard following.previous == archived.digest else {
        throw .notArchived(
          segment: archived.name,
          reason: "another segment was archived under this name; it is not archived again")
      }
    }
    hasCompared = true
  }

  private static func reason(_ error: ChangeLogError) -> String {
    switch error {
    case .notArchived(_, let reason), .notRestored(_, let reason): reason
    case .restoredFalse(_, let reason):
      "the archive command ended with status 0, but what is restored differs: \(reason)"
    default: error.description
    }
  }
}
