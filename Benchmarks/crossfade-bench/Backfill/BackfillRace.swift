import Glibc
import LocalCluster
import Postgres

/// Ways to fill the new column of one table, each watched by what it has committed.
struct BackfillRace {
  /// Rows done by a moment, in seconds.
  typealias Course = [(seconds: Double, rows: Int)]

  static let batch = 5000

  let bench: BenchCluster
  let rows: Int

  /// Rows a second between two parts of the table; nil when it did not come so far.
  func rate(_ course: Course, from: Double, to: Double) -> Double? {
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

  /// The table as it was: packed, vacuumed, and nothing of its loading left to be written.
  func reset() throws {
    try bench.script("UPDATE public.transactions SET state_id = NULL WHERE state_id IS NOT NULL")
    try bench.script("VACUUM FULL public.transactions")
    try bench.script("VACUUM (ANALYZE) public.transactions")
    try bench.script("DROP SCHEMA IF EXISTS crossfade CASCADE")
    try bench.script("CHECKPOINT")
  }

  /// The real program, watched from another session by the progress it commits.
  func crossfade(_ run: CrossfadeRun) throws -> Course {
    let expand = try MeasuredRun.start(
      [run.binary, "expand", run.definition, "--json"], environment: run.environment
    )
    .wait()
    guard expand.exitCode == 0 else { throw BenchError("crossfade expand ended with \(expand.exitCode)") }
    // What capture leaves behind once it has begun; the benchmark is of the backfill alone.
    try bench.script(
      """
      INSERT INTO crossfade.checkpoint (slot, end_lsn, system_identifier, timeline, database_oid, creation_point)
      VALUES ('\(run.slot)', '0/10', 1, 1, 1, '0/10')
      """)
    let process = try MeasuredRun.start(
      [run.binary, "backfill", run.definition, "--json", "--log-level", "warning"],
      environment: run.environment)
    var course: Course = []
    while true {
      let done =
        try bench.script(
          "SELECT coalesce(sum(rows), 0) FROM crossfade.backfill WHERE slot = '\(run.slot)'"
        ).integer(0, 0).map { Int($0) } ?? 0
      if done > 0, done != course.last?.rows {
        course.append((Double(Deadline.now - process.began) / 1e9, done))
      }
      if done >= rows { break }
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
  func keyset() throws -> Course {
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
  func nullSearch(for box: Double) throws -> Course {
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
      if done == 0 || seconds > box { return course }
    }
  }
}
