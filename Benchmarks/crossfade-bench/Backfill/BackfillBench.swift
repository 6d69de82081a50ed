import Glibc

/// A whole table backfilled, unthrottled: `crossfade backfill`, a bare keyset loop, and the common form that looks for what is
/// NULL. A rate that decays shows in the last tenth.
struct BackfillBench {
  /// Rows of the table.
  static let rows = getenv("CROSSFADE_BENCH_BACKFILL_ROWS").flatMap { Int(String(cString: $0)) } ?? 5_000_000
  /// Seconds after which the common form is given up.
  static let box = getenv("CROSSFADE_BENCH_BACKFILL_BOX").flatMap { Double(String(cString: $0)) } ?? 120

  func run(_ report: inout Report) throws {
    let bench = try BenchCluster(rows: Self.rows)
    defer { bench.finish() }
    try bench.script("SET synchronous_commit = off")
    let race = BackfillRace(bench: bench, rows: Self.rows)
    var (ours, bare, common): ([BackfillRace.Course], [BackfillRace.Course], [BackfillRace.Course]) = (
      [], [], []
    )
    for round in 0..<Bench.rounds {
      // Each begins with the same table: packed, vacuumed, and nothing of its loading left to be written.
      try race.reset()
      ours.append(try race.crossfade(CrossfadeRun(bench, slot: "backfill_\(round)")))
      try race.reset()
      bare.append(try race.keyset())
    }
    try race.reset()
    common.append(try race.nullSearch(for: Self.box))
    func rates(_ courses: [BackfillRace.Course], from: Double, to: Double) -> [Double] {
      courses.compactMap { race.rate($0, from: from, to: to) }
    }
    for (name, from, to) in [("", 0.0, 1.0), ("-first-tenth", 0, 0.1), ("-last-tenth", 0.9, 1)] {
      report.add(
        .init(
          name: "backfill" + name, unit: "rows/s", ours: rates(ours, from: from, to: to),
          reference: "keyset loop of \(BackfillRace.batch)", theirs: rates(bare, from: from, to: to)))
    }
    let reached = Double(common.first?.last?.rows ?? 0) / Double(Self.rows)
    report.add(
      .init(
        name: "backfill-common-form", unit: "rows/s", ours: rates(ours, from: 0, to: 1),
        reference: "IS NULL LIMIT \(BackfillRace.batch), its first tenth",
        theirs: rates(common, from: 0, to: 0.1)))
    report.add(
      .init(
        name: "backfill-common-form-end", unit: "rows/s", ours: rates(ours, from: 0.9, to: 1),
        reference: "the same at \(Int(reached * 100))%, after \(Int(Self.box)) s at most",
        theirs: rates(common, from: max(0, reached - 0.02), to: reached)))
  }
}
