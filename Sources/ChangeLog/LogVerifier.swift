import Glibc
public import PGOutput

/// Reads a whole log and checks all that can be checked: every checksum, every record's bounds, the announced sums, the
/// order of the commits, each index, and the chain of digests from segment to segment.
public enum LogVerifier {
  /// Something that is not as it was written.
  public struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// The segment's path.
    public let file: String
    /// The frame's offset in it.
    public let offset: UInt64
    /// Up to where the log was sound before it: the end of the last transaction read.
    public let position: LSN
    /// What is wrong.
    public let reason: String

    /// `FILE at byte N: reason`.
    public var description: String { "\(file) at byte \(offset): \(reason)" }
  }

  /// What was read, and what was wrong with it.
  public struct Report: Hashable, Sendable {
    /// Segments read.
    public internal(set) var segments = 0
    /// Bytes of their files.
    public internal(set) var bytes: UInt64 = 0
    /// What stands in them.
    public internal(set) var counts = LogCounts()
    /// End of the last whole transaction.
    public internal(set) var end = LSN.invalid
    /// Bytes after the last whole transaction: a writer is at work, or was when it ended.
    public internal(set) var unfinishedBytes: UInt64 = 0
    /// Everything that is wrong; in a segment nothing is read after the first.
    public internal(set) var problems: [Problem] = []
  }

  /// Verifies the log in `directory`. Needs no lock; what a writer appends meanwhile may or may not be seen.
  ///
  /// Throws only when a file cannot be read, or there is no log.
  /// `progress` is told now and then how many bytes have been read, and of how many.
  public static func verify(
    directory path: String, progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(ChangeLogError) -> Report {
    let directory = LogDirectory(path: path)
    let starts = try directory.segments()
    guard !starts.isEmpty else { throw .noLog(directory: path) }
    var report = Report()
    var total: UInt64 = 0
    for start in starts { total += try directory.file(start)?.size() ?? 0 }
    var before: SegmentVerifier.Sealed?
    for (number, start) in starts.enumerated() {
      // Retention may drop it meanwhile.
      guard let file = try directory.file(start) else {
        before = nil
        continue
      }
      let done = report.bytes
      report.segments += 1
      report.bytes += try file.size()
      let isLast = number == starts.count - 1
      var verifier = try SegmentVerifier(file: file, start: start)
      var seen: SegmentVerifier.Stop?
      verifying: while true {
        do throws(SegmentVerifier.Stop) {
          before = try verifier.run(after: before, isFirst: number == 0, isLast: isLast) { offset in
            progress(done + offset, max(total, done + offset))
          }
          break verifying
        } catch {
          // A writer beside us may cut an unfinished transaction and write over it while we read: damage stays.
          if isLast, error != seen {
            seen = error
            usleep(50_000)
            verifier = try SegmentVerifier(file: file, start: start)
            continue verifying
          }
          before = nil
          report.problems.append(
            Problem(
              file: file.path, offset: error.offset, position: max(report.end, verifier.end),
              reason: error.reason))
          break verifying
        }
      }
      report.counts.add(verifier.counts)
      report.end = max(report.end, verifier.end)
      report.unfinishedBytes = verifier.unfinishedBytes
    }
    return report
  }
}
