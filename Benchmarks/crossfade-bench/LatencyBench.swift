import Glibc
import LocalCluster
import PGOutput
import Postgres

/// From the application's commit to our commit, by the server's own commit timestamps, at 1,000 one-row transactions a
/// second with synchronous_commit on; beside a native subscription's in the same run.
struct LatencyBench {
  private static let seconds = 15

  func run(_ report: inout Report) throws {
    let settings = ["track_commit_timestamp": "on"]
    let ledger = try BenchCluster(rows: 0, settings: settings)
    defer { ledger.finish() }
    try ledger.script(
      """
      CREATE TABLE public.applied_at (id bigint PRIMARY KEY, committed timestamptz);
      CREATE TABLE public.committed (id bigint PRIMARY KEY)
      """)
    let subscriber = try Subscriber(rows: 0, settings: settings)
    defer { subscriber.bench.finish() }
    var ours: [(Double, Double)] = []
    var theirs: [(Double, Double)] = []
    for round in 0..<Bench.rounds {
      let first = 1 + round * 1_000_000
      try ledger.createSlot("theirs_\(round)")
      try subscriber.subscribe(to: ledger, slot: "theirs_\(round)")
      try subscriber.enable()
      try traffic(ledger, first)
      theirs.append(try native(ledger, subscriber, first))
      try subscriber.unsubscribe()
      try ledger.dropSlot("theirs_\(round)")

      let run = try CrossfadeRun(ledger, slot: "ours_\(round)")
      let process = try run.start()
      try wait(ledger, "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'ours_\(round)' AND active")
      try traffic(ledger, first + 500_000)
      ours.append(try crossfade(ledger, first + 500_000))
      process.signal(SIGTERM)
      _ = try process.wait()
      try ledger.dropSlot("ours_\(round)")
    }
    for (name, pick) in [("p50", { (pair: (Double, Double)) in pair.0 }), ("p99", { $0.1 })] {
      report.add(
        .init(
          name: "latency-\(name)", unit: "ms", ours: ours.map(pick), reference: "native subscription",
          theirs: theirs.map(pick)))
    }
  }

  /// Inserts at a fixed rate, each by one of four sessions; a second table keeps the transaction's number.
  private func traffic(_ ledger: BenchCluster, _ first: Int) throws {
    let count = 1000 * Self.seconds
    let conninfo = ledger.cluster.conninfo()
    let began = Deadline.now
    let writers = (0..<4).map { writer in
      Worker<String?> {
        do {
          let connection = try Connection(conninfo, options: .init(applicationName: "writer"))
          try connection.prepare(
            "write",
            """
            WITH a AS (INSERT INTO public.committed VALUES ($1))
            INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
            VALUES ($1, 1, 1, 1, 'EUR', 'AUTH')
            """, purpose: "prepare the traffic")
          for index in stride(from: writer, to: count, by: 4) {
            let due = began + UInt64(index) * 1_000_000
            let now = Deadline.now
            if due > now { usleep(UInt32((due - now) / 1000)) }
            try connection.startPipeline(
              [PipelineStatement("write", [.integer(first + index)])], purpose: "write")
            _ = try connection.finishPipeline(purpose: "write")
          }
          return nil
        } catch {
          return "\(error)"
        }
      }
    }
    for writer in writers {
      while !writer.isFinished { usleep(10_000) }
      if let error = writer.result ?? nil { throw BenchError("traffic failed: \(error)") }
    }
  }

  private func crossfade(_ ledger: BenchCluster, _ first: Int) throws -> (Double, Double) {
    let range = "BETWEEN \(first) AND \(first + 499_999)"
    try wait(
      ledger,
      "SELECT 1 WHERE NOT EXISTS (SELECT FROM public.transactions WHERE id \(range) AND state_id IS NULL)")
    let rows = try ledger.script(
      """
      SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY
        extract(epoch FROM pg_xact_commit_timestamp(t.xmin) - pg_xact_commit_timestamp(c.xmin)) * 1000)
        FROM public.transactions t JOIN public.committed c USING (id) WHERE t.id \(range)
      """)
    return try Self.pair(rows)
  }

  private func native(_ ledger: BenchCluster, _ subscriber: Subscriber, _ first: Int) throws -> (
    Double, Double
  ) {
    let range = "BETWEEN \(first) AND \(first + 499_999)"
    let count = 1000 * Self.seconds
    try wait(
      subscriber.bench,
      "SELECT 1 WHERE (SELECT count(*) FROM public.transactions WHERE id \(range)) = \(count)")
    let applied = try subscriber.bench.script(
      """
      SELECT string_agg('(' || id || ',''' || pg_xact_commit_timestamp(xmin) || ''')', ',')
        FROM public.transactions WHERE id \(range)
      """)
    guard let values = applied[0, 0] else { throw BenchError("nothing was applied") }
    try ledger.script("TRUNCATE public.applied_at; INSERT INTO public.applied_at VALUES \(values)")
    let rows = try ledger.script(
      """
      SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY
        extract(epoch FROM a.committed - pg_xact_commit_timestamp(c.xmin)) * 1000)
        FROM public.applied_at a JOIN public.committed c USING (id)
      """)
    return try Self.pair(rows)
  }

  /// `{0.41,1.9}`
  private static func pair(_ rows: QueryResult) throws -> (Double, Double) {
    let numbers = (rows[0, 0] ?? "").dropFirst().dropLast().split(separator: ",").compactMap { Double($0) }
    guard numbers.count == 2 else { throw BenchError("no percentiles") }
    return (numbers[0], numbers[1])
  }

  private func wait(_ bench: BenchCluster, _ question: String) throws {
    let deadline = Deadline.after(milliseconds: 60_000)
    while try bench.script(question).rowCount == 0 {
      if deadline.hasPassed { throw BenchError("waited a minute for: \(question)") }
      usleep(20_000)
    }
  }
}
