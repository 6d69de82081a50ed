import Glibc
import PGOutput

/// Drops what retention lets go, also while the log is written and read.
///
/// The oldest goes first, and is gone on disk before the next goes: whatever interrupts it leaves a log without a hole.
/// A reader that has a dropped file open reads it to its end.
public struct LogPruner: Sendable {
  private let directory: LogDirectory

  /// A pruner of the log in a directory.
  public init(directory: String) { self.init(LogDirectory(path: directory)) }

  init(_ directory: LogDirectory) { self.directory = directory }

  /// What would go now. Throws `noLog` when there is none.
  public func plan(_ rules: RetentionRules) throws(ChangeLogError) -> RetentionPlan {
    try plan(rules, now: Int64(time(nil)))
  }

  func plan(_ rules: RetentionRules, now: Int64) throws(ChangeLogError) -> RetentionPlan {
    RetentionPlan(segments: try segments(), readers: try readers(), rules: rules, now: now)
  }

  /// Drops what goes now: what is returned is gone. Nobody registers or steps back meanwhile.
  public func prune(_ rules: RetentionRules) throws(ChangeLogError) -> RetentionPlan {
    let lock = try FileLock(directory: directory.path)
    defer { withExtendedLifetime(lock) {} }
    let plan = try plan(rules)
    for drop in plan.drops {
      try Directory.remove(directory.segmentPath(drop.segment.start), directory.calls)
      try directory.sync()
    }
    return plan
  }

  private func segments() throws(ChangeLogError) -> [RetentionPlan.Segment] {
    let starts = try directory.segments()
    guard !starts.isEmpty else { throw .noLog(directory: directory.path) }
    let catalogue = try ArchiveCatalogue.load(directory: directory.path)
    var found: [RetentionPlan.Segment] = []
    for (at, start) in starts.enumerated() {
      var info = stat()
      guard stat(directory.segmentPath(start), &info) == 0 else {
        // Another has dropped it meanwhile: it was the oldest.
        if errno == ENOENT, found.isEmpty { continue }
        throw LogFile.error("stat", directory.segmentPath(start), errno)
      }
      let next = at + 1 < starts.count ? starts[at + 1] : LSN(rawValue: .max)
      let archived = catalogue[start]
      found.append(
        RetentionPlan.Segment(
          start: start, watermark: next, bytes: UInt64(max(info.st_size, 0)),
          writtenAt: Int64(info.st_mtim.tv_sec),
          archive: archived == nil ? .none : archived?.isVerified == true ? .verified : .trusted))
    }
    return found
  }

  private func readers() throws(ChangeLogError) -> [RetentionPlan.Reader] {
    try LogReaders(directory).list().map { entry in
      switch entry.reader {
      case .success(let reader):
        RetentionPlan.Reader(name: entry.name, position: reader.position.heldFrom)
      case .failure(let error):
        RetentionPlan.Reader(name: entry.name, position: nil, trouble: error.description)
      }
    }
  }
}

extension Position {
  /// From where on the log must be held for one who goes on here: the rest of a transaction lies before its end.
  fileprivate var heldFrom: LSN {
    ordinal == Self.whole || !endLSN.isValid ? endLSN : LSN(rawValue: endLSN.rawValue - 1)
  }
}
