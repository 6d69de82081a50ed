import ChangeLog
import Glibc
import PGOutput

/// From nothing to the first change after a position: open the directory, find the place, unpack, decode.
///
/// Two logs. The large one is 10 GB of segments on disk, sealed but for the last, of rows that LZ4 makes no smaller, in
/// frames of 256 KiB. The other is the worst there is for who looks for a place: one segment that is not sealed, so without
/// an index, with nearly as many frames as one may have, a transaction each.
struct LogResumeBench {
  private static let positions = 1_000

  func run(only: String, _ report: inout Report) async throws {
    if Self.isAsked("log-resume-large", only) {
      var log = try LedgerLog("resume")
      defer { log.remove() }
      let gigabytes = getenv("CROSSFADE_BENCH_GIGABYTES").flatMap { Double(String(cString: $0)) } ?? 10
      var traffic = LedgerTraffic(size: 2, receipt: 480)
      try log.record(&traffic, stored: Int(gigabytes * 1e9), groups: 256 << 10)
      try await measure("log-resume-large", log, traffic, after: 0, &report)
    }
    if Self.isAsked("log-resume-unsealed", only) {
      var log = try LedgerLog("resume")
      defer { log.remove() }
      var traffic = LedgerTraffic(size: 1)
      try log.record(&traffic, changes: 65_000, groups: 1)
      try await measure("log-resume-unsealed", log, traffic, after: 0, &report)
      try await measure("log-resume-unsealed-end", log, traffic, after: 0.999, &report)
    }
  }

  private static func isAsked(_ name: String, _ only: String) -> Bool {
    name.hasPrefix(only) || only.hasPrefix(name)
  }

  /// Resumes at random commit ends in the last part of the log after `start`: warm, then each time with the log's files
  /// out of the page cache.
  private func measure(
    _ name: String, _ log: LedgerLog, _ traffic: LedgerTraffic, after start: Double, _ report: inout Report
  ) async throws {
    var random: UInt64 = 0x2545_F491_4F6C_DD1D
    let files = try LogSource(directory: log.directory).segments()
    let size = Double(files.reduce(0) { $0 + $1.bytes })
    say("  \(name): \(files.count) segments, \(Report.rounded(size / 1e9, 2)) GB, \(log.changes) changes")
    for (suffix, isCold, count) in [
      ("", false, Self.positions), ("-cold", true, Self.positions / 4),
    ] {
      var milliseconds: [Double] = []
      var processor: [Double] = []
      for _ in 0..<count {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let share = start + (1 - start) * Double(random >> 11) / Double(1 << 53)
        let number = Int(share * Double(log.changes / traffic.size - 1))
        let position = traffic.place(of: number)
        if isCold { try Self.forget(files) }
        let (found, time) = try await Stopwatch.time { try await Self.resume(log.directory, position) }
        guard found == traffic.place(of: number + 1) else { throw BenchError("\(position) gave \(found)") }
        milliseconds.append(time.seconds * 1_000)
        processor.append(time.processor * 1_000)
      }
      milliseconds.sort()
      processor.sort()
      for (label, figure) in [
        ("-p50", milliseconds[count / 2]), ("-p99", milliseconds[count * 99 / 100]),
        ("-max", milliseconds[count - 1]), ("-cpu-max", processor[count - 1]),
      ] {
        report.add(
          .init(
            name: name + suffix + label, unit: "ms", ours: [figure], reference: "asked: 10 ms", theirs: [10]))
      }
    }
  }

  private static func resume(_ directory: String, _ position: LSN) async throws -> LSN {
    var iterator = LogSource(directory: directory).changes(after: Position(endLSN: position), follow: false)
      .makeAsyncIterator()
    guard let change = try await iterator.next(), try change.new("status") != nil else { return .invalid }
    return change.transaction.end
  }

  /// Puts the files out of the page cache: what a reader meets on a machine that has just started.
  private static func forget(_ files: [LogSegment]) throws {
    for file in files {
      let descriptor = open(file.path, O_RDONLY)
      guard descriptor >= 0 else { throw BenchError("cannot open \(file.path)") }
      posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
      close(descriptor)
    }
  }
}
