import Glibc
import LocalCluster
import PGOutput
import Postgres

/// From the application's commit to our commit, by the server's own commit timestamps, at 1,000 one-row transactions a
/// second with synchronous_commit on.
struct LatencyBench {
  private static let seconds = 15

  /// Transactions of the traffic.
  var count: Int { 1000 * Self.seconds }

  func run(_ report: inout Report) throws {
    let settings = ["track_commit_timestamp": "on"]
    let ledger = try BenchCluster(rows: 0, settings: settings)
    defer { ledger.finish() }
    try ledger.script(
      """
      CREATE TABLE public.committed (id bigint PRIMARY KEY)
      """)
    var ours: [(Double, Double)] = []
    for round in 0..<Bench.rounds {
      let run = try CrossfadeRun(ledger, slot: "ours_\(round)")
      let process = try run.start()
      try wait(ledger, "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'ours_\(round)' AND active")
      let first = 1 + round * 1_000_000
      try traffic(ledger, first)
      ours.append(try crossfade(ledger, first))
      process.signal(SIGTERM)
      _ = try process.wait()
      try ledger.dropSlot("ours_\(round)")
    }
    // A native subscription stamps its commits with the publisher's time: there is nothing to compare with.
    report.add(
      .init(name: "latency-p50", unit: "ms", ours: ours.map(\.0), reference: "asked: 2", theirs: [2]))
    report.add(
      .init(name: "latency-p99", unit: "ms", ours: ours.map(\.1), reference: "asked: 10", theirs: [10]))
  }

  /// Inserts at a fixed rate, each by one of four sessions; a second table keeps the transaction's number.
  func traffic(_ ledger: BenchCluster, _ first: Int) throws {
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
