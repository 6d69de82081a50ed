import ChangeLog
import Derivation
import Events
import PGOutput

/// The log read from its beginning to its end as events, written as CloudEvents, by one thread: what a subscriber that
/// catches up costs without the network.
struct LogEventsBench {
  func run(_ report: inout Report) throws {
    for size in [1, 10] {
      var log = try LedgerLog("events")
      defer { log.remove() }
      var traffic = LedgerTraffic(size: size)
      try log.record(&traffic, changes: Bench.changes, groups: 256 << 10)
      var times: [Stopwatch] = []
      for _ in 0..<Bench.rounds {
        let (count, time) = try Stopwatch.time { try Self.events(log.directory) }
        guard count == log.changes else { throw BenchError("\(count) events of \(log.changes) changes") }
        times.append(time)
      }
      for (suffix, unit, figure) in [
        ("", "events/s", \Stopwatch.seconds), ("-cpu", "events/CPU s", \Stopwatch.processor),
      ] {
        report.add(
          .init(
            name: "log-events-\(size)-change" + suffix, unit: unit,
            ours: times.map { Double(log.changes) / $0[keyPath: figure] }, reference: "asked: 200k",
            theirs: [200_000]))
      }
    }
  }

  private static func events(_ directory: String) throws -> Int {
    let log = LogSource(directory: directory)
    guard let bounds = try log.bounds() else { throw BenchError("no log") }
    let statuses = ["AUTH", "CAPTURED", "Settled", "DECLINED"]
    let map = StateMap(
      statuses.enumerated().map { index, status in
        State(id: ExactText("\(index + 1)"), code: ExactText(status.lowercased()), status: ExactText(status))
      })
    let definition = SlotDefinition(
      slot: "bench", publication: try Identifier("bench"), source: ConnectionString("dbname=x"),
      derive: .init(
        table: try QualifiedName(sql: LedgerTraffic.table), key: [try Identifier("id")],
        from: try Identifier("status"), to: try Identifier("state_id"),
        map: .init(
          table: try QualifiedName(sql: "public.transaction_state"), id: try Identifier("id"),
          code: try Identifier("code"), status: try Identifier("legacy_status"))),
      log: .init(directory: directory))
    let plan = EventPlan(definition, origin: bounds.origin)
    let cursor = EventCursor(log, plan: plan, map: map, after: Position(endLSN: bounds.start))
    var writer = EventWriter(plan)
    var count = 0
    while let event = try cursor.next() {
      writer.write(event)
      count += 1
      if writer.bytes.count > 128 << 10 { writer.removeAll() }
    }
    return count
  }
}
