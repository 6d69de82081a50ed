import DualWrite
import Migration
import Operations

extension StatusReport {
  /// Which column is derived from which, and who writes which.
  var directionFacts: [(String, String)] {
    guard let server = standing.server else { return [] }
    var facts = [("direction", Self.sentence(server.direction, pending: pending) + readers(server))]
    if let broken = server.brokenOff {
      facts.append(("broken off", "\(broken.step), to \(broken.title): \(broken.mend)"))
    }
    if !server.writers.counts.isEmpty { facts.append(("writers", Self.writers(server.writers))) }
    return facts
  }

  /// What goes on from here, where both ways are derived and nobody reads the new column.
  private func readers(_ server: ServerStanding) -> String {
    guard server.direction.standing == .both, server.direction.isTakenUp, (server.reads?.percent ?? 0) == 0
    else { return "" }
    return
      "; readers read the old one: `crossfade cutover SLOT` goes on, `crossfade cutover SLOT --back --forward-only` ends this"
  }

  private var pending: Int { standing.process.map { $0.isAlive ? $0.pending : 0 } ?? 0 }

  static func sentence(_ direction: Direction, pending: Int) -> String {
    var text: String
    switch direction.standing {
    case .forward: text = "forward: the new column is derived from the old one"
    case .both: text = "both: whichever column a writer changes, the other follows"
    case .rest: text = "at rest: the old column is retired, and nothing is derived"
    }
    if let since = direction.since { text += ", since \(since)" }
    if direction.standing == .both {
      text += pending == 1 ? "; 1 row to be written" : "; \(HumanFormat.count(pending)) rows to be written"
    }
    if !direction.isTakenUp {
      text +=
        "; asked for: \(direction.asked.rawValue), which `crossfade run` takes up when it has applied "
        + "\(direction.askedLSN)"
    }
    return text
  }

  private static func writers(_ writers: WriterCounts) -> String {
    let names = [
      "old": "wrote the old column alone", "new": "the new one alone", "both": "both", "other": "neither",
      "conflict": "both, in contradiction",
    ]
    return writers.counts.map { "\(HumanFormat.count($0.count)) \(names[$0.kind] ?? $0.kind)" }
      .joined(separator: ", ")
  }

  var direction: JSONValue {
    guard let server = standing.server else { return .null }
    let direction = server.direction
    return [
      "standing": .string(direction.standing.rawValue), "since": direction.since.map { .string($0) } ?? .null,
      "since_position": direction.sinceLSN.map { .string("\($0)") } ?? .null,
      "asked": .string(direction.asked.rawValue), "asked_at": direction.askedAt.map { .string($0) } ?? .null,
      "pending_rows": .integer(Int64(pending)),
      "broken_off": server.brokenOff.map {
        ["step": .string($0.step), "title": .string($0.title), "mend": .string($0.mend)]
      } ?? .null,
      "writers": .array(
        server.writers.counts.map { count in
          [
            "kind": .string(count.kind), "changes": .integer(count.count),
            "last_at": count.lastAt.map { .string($0) } ?? .null,
          ]
        }),
    ]
  }
}
