import Glibc
import LocalCluster

/// A backfill beside a standby that replays for a third of the time: how far it falls behind, under a bound that the backfill
/// keeps, and behind a loop that asks nobody.
struct StandbyBench {
  private static let rows =
    getenv("CROSSFADE_BENCH_STANDBY_ROWS").flatMap { Int(String(cString: $0)) } ?? 1_000_000
  /// What the standby may be behind.
  private static let bound_MiB = 32

  func run(_ report: inout Report) throws {
    let bench = try BenchCluster(rows: Self.rows)
    defer { bench.finish() }
    try bench.script("SET synchronous_commit = off")
    let standby = try Cluster.standby(of: bench.cluster)
    let race = BackfillRace(bench: bench, rows: Self.rows)
    var (ours, bare): ([Figures], [Figures]) = ([], [])
    for round in 0..<Bench.rounds {
      ours.append(
        try measure(race, standby) {
          try race.crossfade(
            CrossfadeRun(
              bench, slot: "standby_\(round)",
              backfill: "  signals:\n    replica_bytes: \(Self.bound_MiB)MiB"))
        })
      bare.append(try measure(race, standby) { try race.keyset() })
    }
    report.add(
      .init(
        name: "standby-lag", unit: "MiB", ours: ours.map(\.lag_MiB), reference: "its bound",
        theirs: [Double(Self.bound_MiB)]))
    report.add(
      .init(
        name: "standby-lag-unbound", unit: "MiB", ours: ours.map(\.lag_MiB),
        reference: "keyset loop that asks nobody", theirs: bare.map(\.lag_MiB)))
    report.add(
      .init(
        name: "standby-rate", unit: "rows/s", ours: ours.map(\.rate), reference: "the same loop",
        theirs: bare.map(\.rate)))
  }

  private struct Figures {
    var lag_MiB: Double
    var rate: Double
  }

  private func measure(
    _ race: BackfillRace, _ standby: Cluster, _ work: () throws -> BackfillRace.Course
  ) throws -> Figures {
    try race.reset()
    guard try standby.hasReplayed(race.bench.cluster, within: .seconds(600)) else {
      throw BenchError("the standby does not come along")
    }
    let watch = try StandbyWatch(primary: race.bench.cluster, standby: standby)
    let course = try work()
    return Figures(lag_MiB: try watch.end(), rate: race.rate(course, from: 0, to: 1) ?? 0)
  }
}
