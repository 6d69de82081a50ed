import Glibc
import LocalCluster
import PGOutput
import Postgres

/// Slot -> log -> committed state_id, beside a native subscription that applies the same backlog to a second cluster.
///
/// The backlog: each row of the ledger updated once, in an order without locality, one row a transaction. Neither side
/// has a foreign key or an index on state_id.
struct WholePathBench {
  func run(_ report: inout Report) throws {
    let rows = Bench.changes
    let ledger = try BenchCluster(rows: rows)
    defer { ledger.finish() }
    let subscriber = try Subscriber(rows: rows)
    defer { subscriber.bench.finish() }
    try ledger.createSlot("base")
    try backlog(ledger, rows)
    var ours: [MeasuredRun] = []
    var ourSeconds: [Double] = []
    var theirSeconds: [Double] = []
    for round in 0..<Bench.rounds {
      if round > 0 { try subscriber.reload(rows) }
      try ledger.copySlot("base", to: "theirs_\(round)")
      theirSeconds.append(try native(ledger, subscriber, "theirs_\(round)", rows))
      try ledger.dropSlot("theirs_\(round)")
      try reset(ledger)
      try ledger.copySlot("base", to: "ours_\(round)")
      let (seconds, run) = try crossfade(ledger, "ours_\(round)", rows)
      ourSeconds.append(seconds)
      ours.append(run)
      try ledger.dropSlot("ours_\(round)")
    }
    let count = Double(rows + 1)
    report.add(
      .init(
        name: "whole-path", unit: "changes/s", ours: ourSeconds.map { count / $0 },
        reference: "native subscription",
        theirs: theirSeconds.map { count / $0 }))
    report.add(
      .init(
        name: "whole-path-memory", unit: "MiB peak", ours: ours.map(\.peakMiB), reference: "asked: 64",
        theirs: [64]))
    report.add(
      .init(
        name: "whole-path-cpu", unit: "us/change", ours: ours.map { $0.processor * 1e6 / count },
        reference: "none",
        theirs: []))
  }

  private func backlog(_ ledger: BenchCluster, _ rows: Int) throws {
    try ledger.script("SET synchronous_commit = off")
    try ledger.script(
      """
      DO $$ BEGIN
        FOR i IN 1..\(rows) LOOP
          UPDATE public.transactions SET status = 'CAPTURED', updated_at = now()
           WHERE id = (i::bigint * 7919) % \(rows) + 1;
          COMMIT;
        END LOOP;
      END $$
      """)
    try ledger.script("SET synchronous_commit = on")
    // The last transaction: when it has arrived, all have.
    try ledger.script("INSERT INTO public.transactions (id, status) VALUES (\(rows + 1), 'AUTH')")
    try ledger.script("VACUUM FULL public.transactions")
    try ledger.script("ANALYZE public.transactions")
    try ledger.script("CHECKPOINT")
  }

  private func reset(_ ledger: BenchCluster) throws {
    try ledger.script("UPDATE public.transactions SET state_id = NULL WHERE state_id IS NOT NULL")
    try ledger.script("VACUUM FULL public.transactions")
    try ledger.script("ANALYZE public.transactions")
    try ledger.script("DROP SCHEMA IF EXISTS crossfade CASCADE")
    try ledger.script("CHECKPOINT")
  }

  private func native(
    _ ledger: BenchCluster, _ subscriber: Subscriber, _ slot: String, _ rows: Int
  ) throws -> Double {
    try subscriber.subscribe(to: ledger, slot: slot)
    let began = Deadline.now
    try subscriber.enable()
    try wait(subscriber.bench, "SELECT 1 FROM public.transactions WHERE id = \(rows + 1)")
    let seconds = Double(Deadline.now - began) / 1e9
    try subscriber.unsubscribe()
    return seconds
  }

  private func crossfade(
    _ ledger: BenchCluster, _ slot: String, _ rows: Int
  ) throws -> (Double, MeasuredRun) {
    let run = try CrossfadeRun(ledger, slot: slot)
    let process = try run.start()
    try wait(
      ledger, "SELECT 1 FROM public.transactions WHERE id = \(rows + 1) AND state_id IS NOT NULL")
    let seconds = Double(Deadline.now - process.began) / 1e9
    process.signal(SIGTERM)
    let measured = try process.wait()
    guard measured.exitCode == 0 else { throw BenchError("crossfade run ended with \(measured.exitCode)") }
    let left = try ledger.script("SELECT count(*) FROM public.transactions WHERE state_id IS NULL")
    guard left.integer(0, 0) == 0 else { throw BenchError("\(left[0, 0] ?? "?") rows have no state_id") }
    return (seconds, measured)
  }

  private func wait(_ bench: BenchCluster, _ question: String) throws {
    let deadline = Deadline.after(milliseconds: 600_000)
    while try bench.script(question).rowCount == 0 {
      if deadline.hasPassed { throw BenchError("the backlog was not applied within ten minutes") }
      usleep(20_000)
    }
  }
}
