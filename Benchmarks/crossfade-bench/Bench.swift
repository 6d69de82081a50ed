// crossfade-bench: each figure beside a reference, taken in turn on the same servers in the same run.
//
//   crossfade-bench [NAME]          all benchmarks, or those whose name begins with NAME
//
// Nothing here is a test: figures are printed, never asserted.

import Glibc
import Operations

@main
enum Bench {
  static func main() async {
    do {
      try await measure()
    } catch {
      LineSink.standardError.write(line: "crossfade-bench: \(error)")
      exit(1)
    }
  }

  private static func measure() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == CaptureWorker.verb {
      exit(CaptureWorker.run(Array(arguments.dropFirst())))
    }
    let only = arguments.first ?? ""
    var report = Report()
    for bench in benches where bench.name.hasPrefix(only) || only.hasPrefix(bench.name) {
      say("\n\(bench.name): \(bench.what)")
      try await bench.run(only, &report)
    }
    guard !report.lines.isEmpty else {
      say("no benchmark is called \(only); there are: \(benches.map(\.name).joined(separator: ", "))")
      exit(64)
    }
    say("\n" + report.table)
    try report.write(to: ".build/bench.json")
    say("\nwritten to .build/bench.json")
  }

  private static let benches:
    [(name: String, what: String, run: @Sendable (String, inout Report) async throws -> Void)] = [
      (
        "drain",
        "a backlog of a million changes, slot -> fsynced change log, against pg_recvlogical -f /dev/null",
        { only, report in try DrainBench().run(only: only, &report) }
      ),
      (
        "whole",
        "a backlog, slot -> log -> committed state_id, against a native subscription to a second cluster",
        { _, report in try WholePathBench().run(&report) }
      ),
      (
        "memory",
        "peak memory with a transaction of ten million changes, and with a hundred that are streamed at once",
        { only, report in try MemoryBench().run(only: only, &report) }
      ),
      (
        "latency", "commit -> state_id committed, at 1,000 transactions a second",
        { _, report in try LatencyBench().run(&report) }
      ),
      (
        "events", "commit -> event at a subscriber, catching up, and a hundred that listen",
        { _, report in try EventBench().run(&report) }
      ),
      (
        "backfill", "five million rows, unthrottled, beside a bare keyset loop and the common IS NULL form",
        { _, report in try BackfillBench().run(&report) }
      ),
      (
        "standby",
        "a million rows beside a slow standby: its lag under a bound, and behind a loop that asks nobody",
        { _, report in try StandbyBench().run(&report) }
      ),
      (
        "migration",
        "what sixteen writers notice of each phase, forward and back, beside the same traffic alone in the same run",
        { _, report in try MigrationBench().run(&report) }
      ),
      (
        "log-append", "records appended to the log and synced, against lz4 -1 of the same bytes",
        { only, report in try LogAppendBench().run(only: only, &report) }
      ),
      (
        "log-size", "bytes a change, against raw pgoutput, zstd -1 of it, and wal2json",
        { _, report in try LogSizeBench().run(&report) }
      ),
      (
        "log-replay", "a log of five million changes read from end to end by one thread, two columns of each",
        { only, report in try await LogReplayBench().run(only: only, &report) }
      ),
      (
        "log-events", "a log of a million changes read as events and written as CloudEvents, by one thread",
        { _, report in try LogEventsBench().run(&report) }
      ),
      (
        "log-resume", "open a log of 10 GB and read the first change after a random position",
        { only, report in try await LogResumeBench().run(only: only, &report) }
      ),
    ]

  /// How often each side is measured.
  static let rounds = getenv("CROSSFADE_BENCH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 3
  /// Changes in a backlog.
  static let changes = getenv("CROSSFADE_BENCH_CHANGES").flatMap { Int(String(cString: $0)) } ?? 1_000_000
}
