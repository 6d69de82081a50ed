import Glibc
import LocalCluster
import PGOutput
import Postgres

/// Peak resident memory of the whole `crossfade run` - capture, spool, log, dual-write - where a consumer that buffers
/// transactions grows with them.
struct MemoryBench {
  private static let sessions = 100
  private static let rounds = 20

  func run(only: String, _ report: inout Report) throws {
    let ledger = try BenchCluster(
      rows: 0, settings: ["logical_decoding_work_mem": "4MB", "max_connections": "150"])
    defer { ledger.finish() }
    let large = Bench.changes * 10
    for (name, streaming) in [("memory-one-transaction", false), ("memory-one-streamed", true)]
    where name.hasPrefix(only) {
      try measure(name, ledger, large, streaming, &report) { try oneTransaction(ledger, large) }
    }
    let many = "memory-hundred-streamed"
    if many.hasPrefix(only) {
      try measure(many, ledger, Bench.changes, true, &report) { try hundredStreams(ledger, Bench.changes) }
    }
  }

  /// Reads while the traffic is made, then until its last row has its state; the memory is that of the process's life.
  private func measure(
    _ name: String, _ ledger: BenchCluster, _ count: Int, _ streaming: Bool, _ report: inout Report,
    traffic: () throws -> Void
  ) throws {
    let slot = name.replacing("-", with: "_")
    let run = try CrossfadeRun(ledger, slot: slot, streaming: streaming)
    let process = try run.start()
    try wait(ledger, "SELECT 1 FROM pg_replication_slots WHERE slot_name = '\(slot)' AND active", 60)
    try traffic()
    let last = Int64.max
    try ledger.script("INSERT INTO public.transactions (id, status) VALUES (\(last), 'AUTH')")
    try wait(
      ledger, "SELECT 1 FROM public.transactions WHERE id = \(last) AND state_id IS NOT NULL", 1200)
    process.signal(SIGTERM)
    let measured = try process.wait()
    guard measured.exitCode == 0 else { throw BenchError("crossfade run ended with \(measured.exitCode)") }
    let rows = try ledger.script("SELECT count(*), count(state_id) FROM public.transactions")
    guard rows.integer(0, 0) == Int64(count + 1), rows.integer(0, 1) == Int64(count + 1) else {
      throw BenchError("\(rows[0, 0] ?? "?") rows, \(rows[0, 1] ?? "?") with a state, not \(count + 1)")
    }
    let streamed = try streams(ledger, slot)
    say("  \(count) changes, \(streamed.0) transactions streamed in \(streamed.1) blocks")
    report.add(
      .init(
        name: name, unit: "MiB peak", ours: [measured.peakMiB], reference: "asked: 64", theirs: [64]))
    try ledger.dropSlot(slot)
    try ledger.script("TRUNCATE public.transactions")
    try ledger.script("DROP SCHEMA crossfade CASCADE")
  }

  /// What the server says it has streamed.
  private func streams(_ ledger: BenchCluster, _ slot: String) throws -> (Int64, Int64) {
    guard ledger.connection.serverVersion.major >= 14 else { return (0, 0) }
    let rows = try ledger.script(
      "SELECT stream_txns, stream_count FROM pg_stat_replication_slots WHERE slot_name = '\(slot)'")
    return (rows.integer(0, 0) ?? 0, rows.integer(0, 1) ?? 0)
  }

  private func oneTransaction(_ ledger: BenchCluster, _ count: Int) throws {
    try ledger.script(BenchCluster.load(count))
  }

  /// A hundred transactions open at once, each growing in turns, then committed one after the other.
  private func hundredStreams(_ ledger: BenchCluster, _ count: Int) throws {
    let sessions = try (0..<Self.sessions).map { _ in
      try Connection(ledger.cluster.conninfo(), options: .init(applicationName: "crossfade-bench"))
    }
    let share = count / Self.sessions
    let step = share / Self.rounds
    guard step * Self.rounds * Self.sessions == count else {
      throw BenchError("CROSSFADE_BENCH_CHANGES must be a multiple of \(Self.sessions * Self.rounds)")
    }
    for session in sessions { try session.query("BEGIN", purpose: "begin") }
    for round in 0..<Self.rounds {
      for (number, session) in sessions.enumerated() {
        let first = number * share + round * step
        try session.query(
          """
          INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
          SELECT g, g::bigint * 7919, g % 5000, g % 100000, 'EUR', 'AUTH'
            FROM generate_series(\(first), \(first + step - 1)) AS g
          """, purpose: "make traffic")
      }
    }
    for session in sessions { try session.query("COMMIT", purpose: "commit") }
  }

  private func wait(_ bench: BenchCluster, _ question: String, _ seconds: Int) throws {
    let deadline = Deadline.after(milliseconds: seconds * 1000)
    while try bench.script(question).rowCount == 0 {
      if deadline.hasPassed { throw BenchError("waited \(seconds) s for: \(question)") }
      usleep(50_000)
    }
  }
}
