import ChangeLog
import PGOutput

/// The log read from its beginning to its end by one thread, two columns of each change decoded.
struct LogReplayBench {
  func run(only: String, _ report: inout Report) async throws {
    for (size, name) in [(1, "log-replay-one-change"), (10, "log-replay-ten-change")]
    where name.hasPrefix(only) || only.hasPrefix(name) || only.isEmpty {
      let log = try made(size)
      defer { log.remove() }
      var times: [Stopwatch] = []
      for _ in 0..<Bench.rounds {
        let (count, time) = try await Stopwatch.time { try await Self.sequence(log.directory) }
        guard count == log.changes else { throw BenchError("\(count) changes read of \(log.changes)") }
        times.append(time)
      }
      add(name, log.changes, times, &report)
      var passes: [Stopwatch] = []
      for _ in 0..<Bench.rounds {
        passes.append(try await Stopwatch.time { try await Self.history(log.directory) }.1)
      }
      add(name.replacing("replay", with: "history"), log.changes, passes, &report)
    }
  }

  private func add(_ name: String, _ changes: Int, _ times: [Stopwatch], _ report: inout Report) {
    for (suffix, unit, figure) in [
      ("", "changes/s", \Stopwatch.seconds), ("-cpu", "changes/CPU s", \Stopwatch.processor),
    ] {
      let rates = times.map { Double(changes) / $0[keyPath: figure] }
      report.add(
        .init(name: name + suffix, unit: unit, ours: rates, reference: "asked: 1M", theirs: [1_000_000]))
    }
  }

  /// What `log history --key` reads: the changes of one row among all.
  private static func history(_ directory: String) async throws -> Int {
    var count = 0
    let keys = LogKeys(columns: ["id"], values: [["\(LedgerTraffic.key(12_345))"]])
    let log = LogSource(directory: directory)
    for try await change in log.changes(tables: [LedgerTraffic.table], keys: keys, follow: false) {
      if try change.new("status") != nil { count += 1 }
    }
    guard count > 0 else { throw BenchError("the row was not found") }
    return count
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
