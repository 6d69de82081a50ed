import Glibc
import LocalCluster
import Postgres

/// A whole table backfilled, unthrottled: `crossfade backfill`, a bare keyset loop, and the common form that looks for what is
/// NULL. A rate that decays shows in the last tenth.
struct BackfillBench {
  /// Rows of the table.
  static let rows = getenv("CROSSFADE_BENCH_BACKFILL_ROWS").flatMap { Int(String(cString: $0)) } ?? 5_000_000
  /// Seconds after which the common form is given up.
  static let box = getenv("CROSSFADE_BENCH_BACKFILL_BOX").flatMap { Double(String(cString: $0)) } ?? 120

  private static let batch = 5000

  /// Rows done by a moment, in seconds.
  private typealias Course = [(seconds: Double, rows: Int)]

  func run(_ report: inout Report) throws {
    let bench = try BenchCluster(rows: Self.rows)
    defer { bench.finish() }
    try bench.script("SET synchronous_commit = off")
    var (ours, bare, common): ([Course], [Course], [Course]) = ([], [], [])
    for round in 0..<Bench.rounds {
      // Each begins with the same table: packed, vacuumed, and nothing of its loading left to be written.
      try reset(bench)
      ours.append(try crossfade(bench, round))
      try reset(bench)
      bare.append(try keyset(bench))
    }
    try reset(bench)
    common.append(try nullSearch(bench))
    func rates(_ courses: [Course], from: Double, to: Double) -> [Double] {
      courses.compactMap { Self.rate($0, from: from, to: to) }
    }
    for (name, from, to) in [("", 0.0, 1.0), ("-first-tenth", 0, 0.1), ("-last-tenth", 0.9, 1)] {
      report.add(
        .init(
          name: "backfill" + name, unit: "rows/s", ours: rates(ours, from: from, to: to),
          reference: "keyset loop of \(Self.batch)", theirs: rates(bare, from: from, to: to)))
    }
    let reached = Double(common.first?.last?.rows ?? 0) / Double(Self.rows)
    report.add(
      .init(
        name: "backfill-common-form", unit: "rows/s", ours: rates(ours, from: 0, to: 1),
        reference: "IS NULL LIMIT \(Self.batch), its first tenth", theirs: rates(common, from: 0, to: 0.1)))
    report.add(
      .init(
        name: "backfill-common-form-end", unit: "rows/s", ours: rates(ours, from: 0.9, to: 1),
        reference: "the same at \(Int(reached * 100))%, after \(Int(Self.box)) s at most",
        theirs: rates(common, from: max(0, reached - 0.02), to: reached)))
  }

  /// Rows a second between two parts of the table; nil when it did not come so far.
  private static func rate(_ course: Course, from: Double, to: Double) -> Double? {
    func time(_ share: Double) -> Double? {
      let wanted = Int(share * Double(rows))
      if wanted == 0 { return 0 }
      guard let index = course.firstIndex(where: { $0.rows >= wanted }) else { return nil }
      let after = course[index]
      let before = index > 0 ? course[index - 1] : (seconds: 0, rows: 0)
      let part = Double(wanted - before.rows) / Double(max(1, after.rows - before.rows))
      return before.seconds + part * (after.seconds - before.seconds)
    }
    guard let begin = time(from), let end = time(to), end > begin else { return nil }
    return (to - from) * Double(rows) / (end - begin)
  }

  private func reset(_ bench: BenchCluster) throws {
    try bench.script("UPDATE public.transactions SET state_id = NULL WHERE state_id IS NOT NULL")
    try bench.script("VACUUM FULL public.transactions")
    try bench.script("VACUUM (ANALYZE) public.transactions")
    try bench.script("DROP SCHEMA IF EXISTS crossfade CASCADE")
    try bench.script("CHECKPOINT")
  }

  /// The real program, watched from another session by the progress it commits.
  private func crossfade(_ bench: BenchCluster, _ round: Int) throws -> Course {
    let run = try CrossfadeRun(bench, slot: "backfill_\(round)")
    let expand = try MeasuredRun.start(
      [run.binary, "expand", run.definition, "--json"], environment: run.environment
    )
    .wait()
    guard expand.exitCode == 0 else { throw BenchError("crossfade expand ended with \(expand.exitCode)") }
    // What capture leaves behind once it has begun; the benchmark is of the backfill alone.
    try bench.script(
      """
      INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
      VALUES ('backfill_\(round)', '0/10', 1, 1, 1, '0/10')
      """)
    let process = try MeasuredRun.start(
      [run.binary, "backfill", run.definition, "--json", "--log-level", "warning"],
      environment: run.environment)
    var course: Course = []
    while true {
      let done =
        try bench.script(
          "SELECT coalesce(sum(rows), 0) FROM crossfade.backfill WHERE slot = 'backfill_\(round)'"
        ).integer(0, 0).map { Int($0) } ?? 0
      if done > 0, done != course.last?.rows {
        course.append((Double(Deadline.now - process.began) / 1e9, done))
      }
      if done >= Self.rows { break }
      guard Double(Deadline.now - process.began) < 3.6e12 else {
        throw BenchError("the backfill does not end")
      }
      usleep(10_000)
    }
    let measured = try process.wait()
    guard measured.exitCode == 0 else {
      throw BenchError("crossfade backfill ended with \(measured.exitCode)")
    }
    return course
  }

  /// What a careful engineer writes: the page's end by OFFSET, the map joined, one commit a page.
  private func keyset(_ bench: BenchCluster) throws -> Course {
    let began = Deadline.now
    var course: Course = []
    var last = 0
    while true {
      let end = try bench.script(
        "SELECT id FROM public.transactions WHERE id > \(last) ORDER BY id OFFSET \(Self.batch - 1) LIMIT 1"
      ).integer(0, 0).map { Int($0) }
      let done = try bench.script(
        """
        UPDATE public.transactions AS t SET state_id = s.id FROM public.transaction_state AS s
         WHERE t.id > \(last) AND t.id <= \(end ?? Int(Int64.max)) AND s.legacy_status = t.status AND t.state_id IS NULL
        """
      ).affectedRows
      course.append((Double(Deadline.now - began) / 1e9, (course.last?.rows ?? 0) + done))
      guard let end else { return course }
      last = end
    }
  }

  /// What is written most: it looks at what is done already again and again.
  private func nullSearch(_ bench: BenchCluster) throws -> Course {
    let began = Deadline.now
    var course: Course = []
    while true {
      let done = try bench.script(
        """
        UPDATE public.transactions AS t SET state_id = s.id FROM public.transaction_state AS s
         WHERE s.legacy_status = t.status AND t.id IN
           (SELECT id FROM public.transactions WHERE state_id IS NULL ORDER BY id LIMIT \(Self.batch))
        """
      ).affectedRows
      let seconds = Double(Deadline.now - began) / 1e9
      course.append((seconds, (course.last?.rows ?? 0) + done))
      if done == 0 || seconds > Self.box { return course }
    }
  }
}
