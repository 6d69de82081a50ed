import ChangeLog
import PGOutput

/// The log read from its beginning to its end by one thread, two columns of each change decoded.
struct LogReplayBench {
  func run(only: String, _ report: inout Report) async throws {
    for (size, name) in [(1, "log-replay-one-change"), (10, "log-replay-ten-change")]
    where name.hasPrefix(only) || only.hasPrefix(name) || only.isEmpty {
      let log = try made(size)
      defer { log.remove() }
      var wall: [Double] = []
      var processor: [Double] = []
      for _ in 0..<Bench.rounds {
        let (count, time) = try await Stopwatch.time { try await Self.sequence(log.directory) }
        guard count == log.changes else { throw BenchError("\(count) changes read of \(log.changes)") }
        wall.append(Double(count) / time.seconds)
        processor.append(Double(count) / time.processor)
      }
      report.add(
        .init(name: name, unit: "changes/s", ours: wall, reference: "asked: 1M", theirs: [1_000_000]))
      report.add(
        .init(
          name: name + "-cpu", unit: "changes/CPU s", ours: processor, reference: "asked: 1M",
          theirs: [1_000_000]))
    }
  }

  private func made(_ size: Int) throws -> LedgerLog {
    var log = try LedgerLog("replay")
    var traffic = LedgerTraffic(size: size)
    try log.record(&traffic, changes: Bench.changes * 5, groups: 256 << 10)
    return log
  }

  /// Two columns of each change, as values that last: the form in which most read.
  private static func sequence(_ directory: String) async throws -> Int {
    var count = 0
    var states = 0
    for try await transaction in LogSource(directory: directory).transactions(follow: false) {
      while let change = try transaction.next() {
        count += 1
        if try change.new("status") != nil, try change.new("state_id") != nil { states += 1 }
      }
    }
    guard states == count else { throw BenchError("\(count - states) changes without a status") }
    return count
  }
}
