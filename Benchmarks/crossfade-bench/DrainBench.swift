import LocalCluster
import PGOutput
import Postgres

/// Slot -> fsynced change log, beside `pg_recvlogical -f /dev/null` on a copy of the same slot.
struct DrainBench {
  private struct Kind {
    var name: String
    var size: Int
    var routes: [(String, ClusterRoute)]
  }

  private let kinds = [
    Kind(name: "one-change", size: 1, routes: [("unix", .unixSocket), ("tcp", .loopback)]),
    Kind(name: "ten-change", size: 10, routes: [("unix", .unixSocket), ("tcp", .loopback)]),
    Kind(name: "million-change", size: 1_000_000, routes: [("unix", .unixSocket)]),
  ]

  func run(only: String, _ report: inout Report) throws {
    let bench = try BenchCluster(rows: 0)
    defer { bench.finish() }
    for (index, kind) in kinds.enumerated() {
      let names = kind.routes.map { "drain-\(kind.name)-\($0.0)" }
      guard names.contains(where: { $0.hasPrefix(only) || only.isEmpty }) else { continue }
      let base = "base_\(index)"
      try bench.createSlot(base)
      let count = Bench.changes
      try bench.insertBacklog(count: count, size: min(kind.size, count), from: 1 + index * 10_000_000)
      let end = try bench.position()
      for (name, route) in zip(names, kind.routes) where name.hasPrefix(only) || only.isEmpty {
        try measure(name, bench, base, route.1, count, end, &report)
      }
      try bench.dropSlot(base)
    }
  }

  private func measure(
    _ name: String, _ bench: BenchCluster, _ base: String, _ route: ClusterRoute, _ count: Int, _ end: LSN,
    _ report: inout Report
  ) throws {
    var ours: [MeasuredRun] = []
    var theirs: [MeasuredRun] = []
    for round in 0..<Bench.rounds {
      // Slot and log directory have a name of their own each time: an old log would be gone on with.
      let suffix = name.replacing("-", with: "_") + "_\(round)"
      try bench.copySlot(base, to: "theirs_" + suffix)
      theirs.append(try reference(bench, "theirs_" + suffix, route, end))
      try bench.dropSlot("theirs_" + suffix)
      try bench.copySlot(base, to: "ours_" + suffix)
      ours.append(try capture(bench, "ours_" + suffix, route, end))
      try bench.dropSlot("ours_" + suffix)
    }
    let reference = "pg_recvlogical"
    func add(_ suffix: String, _ unit: String, _ figure: (MeasuredRun) -> Double) {
      report.add(
        .init(
          name: name + suffix, unit: unit, ours: ours.map(figure), reference: reference,
          theirs: theirs.map(figure)))
    }
    add("", "changes/s") { Double(count) / $0.seconds }
    add("-cpu", "us/change") { $0.processor * 1e6 / Double(count) }
    add("-memory", "MiB peak") { $0.peakMiB }
  }

  private func reference(
    _ bench: BenchCluster, _ slot: String, _ route: ClusterRoute, _ end: LSN
  ) throws -> MeasuredRun {
    let run = try MeasuredRun([
      bench.cluster.installation.path(of: .pgRecvlogical), "-d", bench.cluster.conninfo(over: route),
      "--slot", slot,
      "--start", "-f", "/dev/null", "--endpos", "\(end)", "-o", "proto_version=1", "-o",
      "publication_names=bench",
      "-o", "messages=true",
    ])
    guard run.exitCode == 0 else { throw BenchError("pg_recvlogical ended with \(run.exitCode)") }
    return run
  }

  private func capture(
    _ bench: BenchCluster, _ slot: String, _ route: ClusterRoute, _ end: LSN
  ) throws -> MeasuredRun {
    let run = try MeasuredRun([
      "/proc/self/exe", CaptureWorker.verb, bench.cluster.conninfo(over: route), slot, "bench",
      "\(bench.directory)/\(slot)", "\(end)",
    ])
    guard run.exitCode == 0 else { throw BenchError("capture ended with \(run.exitCode)") }
    return run
  }
}
