import Glibc
import LocalCluster
import PGOutput
import Postgres

/// Events over HTTP: from a commit to the bytes at a subscriber at 1,000 one-row transactions a second; how fast one that
/// catches up is; and what a hundred that listen cost in memory.
struct EventBench {
  private static let live = 100

  func run(_ report: inout Report) throws {
    let ledger = try BenchCluster(rows: 0)
    defer { ledger.finish() }
    try ledger.script("CREATE TABLE public.committed (id bigint PRIMARY KEY)")
    var latencies: [(Double, Double)] = []
    var rates: [Double] = []
    var extra: [Double] = []
    for round in 0..<Bench.rounds {
      let port = try LoopbackPort.free()
      let slot = "events_\(round)"
      let run = try CrossfadeRun(ledger, slot: slot, serve: "127.0.0.1:\(port)")
      let process = try run.start()
      defer { process.signal(SIGKILL) }
      try wait(ledger, "SELECT 1 FROM pg_replication_slots WHERE slot_name = '\(slot)' AND active")
      let first = 1 + round * 10_000_000

      let one = try EventListener(port: port, query: "after=latest", timesEach: true)
      let traffic = LatencyBench()
      try traffic.traffic(ledger, first)
      try one.wait(for: traffic.count)
      latencies.append(one.percentiles)
      one.leave()

      let before = Self.resident(process.pid)
      let listeners = try (0..<Self.live).map { _ in
        try EventListener(port: port, query: "after=latest", timesEach: false)
      }
      try traffic.traffic(ledger, first + 1_000_000)
      for listener in listeners { try listener.wait(for: traffic.count) }
      extra.append(Self.resident(process.pid) - before)
      for listener in listeners { listener.leave() }

      try ledger.insertBacklog(count: Bench.changes, size: 1000, from: first + 2_000_000)
      let total = Bench.changes + 2 * traffic.count
      try warm(port, total)
      let began = Deadline.now
      let late = try EventListener(port: port, query: "after=earliest&wait=0", timesEach: false)
      try late.wait(for: total)
      rates.append(Double(total) / (Double(Deadline.now - began) / 1e9))
      process.signal(SIGTERM)
      _ = try process.wait()
      try ledger.dropSlot(slot)
    }
    report.add(
      .init(
        name: "events-latency-p50", unit: "ms", ours: latencies.map(\.0), reference: "asked: 2", theirs: [2]))
    report.add(
      .init(
        name: "events-latency-p99", unit: "ms", ours: latencies.map(\.1), reference: "asked: 10",
        theirs: [10]))
    report.add(
      .init(
        name: "events-catch-up", unit: "events/s", ours: rates, reference: "asked: 200k", theirs: [200_000]))
    report.add(
      .init(
        name: "events-live-100", unit: "MiB extra", ours: extra, reference: "asked: 64", theirs: [64]))
  }

  /// Waits until everything is in the log.
  private func warm(_ port: UInt16, _ total: Int) throws {
    let deadline = Deadline.after(milliseconds: 120_000)
    var seen = 0
    while seen < total {
      if deadline.hasPassed { throw BenchError("\(seen) events of \(total) came in two minutes") }
      usleep(500_000)
      let listener = try EventListener(port: port, query: "after=earliest&wait=0", timesEach: false)
      seen = listener.waitForEnd()
    }
  }

  /// Resident memory of a process in MiB.
  private static func resident(_ pid: pid_t) -> Double {
    guard let file = fopen("/proc/\(pid)/statm", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 128)
    guard fgets(&buffer, 128, file) != nil else { return 0 }
    let words = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split(separator: " ")
    return (words.count > 1 ? Double(words[1]) ?? 0 : 0) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
  }

  private func wait(_ bench: BenchCluster, _ question: String) throws {
    let deadline = Deadline.after(milliseconds: 60_000)
    while try bench.script(question).rowCount == 0 {
      if deadline.hasPassed { throw BenchError("waited a minute for: \(question)") }
      usleep(20_000)
    }
    usleep(500_000)
  }
}
