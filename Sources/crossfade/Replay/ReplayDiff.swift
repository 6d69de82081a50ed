import ArgumentParser
import ChangeLog
import Derivation
import Operations
import PGOutput
import Postgres
import Replay
import Synchronization

/// Compares what the range derives with what the target holds.
struct ReplayDiff {
  let task: ReplayTask
  let waitSeconds: Int

  func run() async throws {
    let task = task
    let wait = waitSeconds
    let output = Mutex(LineOutput())
    let failure = Mutex<(any Error)?>(nil)
    let interrupt = try ReplayTask.stopping()
    let comparison: @Sendable () throws(ReplayError) -> DiffSummary = { () throws(ReplayError) in
      let bounds = try task.bounds()
      let target = try TargetReader(task.definition, interrupt: interrupt)
      try target.requireSource(bounds.origin)
      let map = if let states = task.states { StateMap(states) } else { try target.map() }
      let range = try task.range(interrupt)
      var limits = Diff.Limits()
      limits.wait = wait * 1000
      let display = ReplayDisplay("diff", range)
      defer { display.finish() }
      return try Diff(
        log: task.log, definition: task.definition, range: range, keys: task.keys,
        crossesDamage: task.crossesDamage, map: map, target: target, limits: limits, interrupt: interrupt
      ).run(
        report: { difference in
          do {
            try output.withLock { output in
              try output.write(
                task.json ? ReplayJSON.difference(difference).compact : Self.line(difference))
            }
          } catch {
            failure.withLock { $0 = $0 ?? error }
            interrupt.stop()
          }
        }, progress: { display.show($0, changes: $1) })
    }
    let summary: DiffSummary
    do {
      summary = try await ReplayTask.run(comparison)
    } catch {
      // What stopped it was its output: a reader that has seen enough is no failure.
      throw failure.withLock { $0 } ?? error
    }
    try output.withLock { output in
      for gap in summary.gaps {
        try output.write(task.json ? ReplayJSON.gap(gap).compact : ReplayTask.text(gap))
      }
      for key in summary.unseen {
        try output.write(task.json ? ReplayJSON.unseen(key).compact : Self.unseen(key))
      }
      try output.write(task.json ? Self.json(summary).compact : Self.text(summary))
      try output.flush()
    }
    if summary.differences > 0 || !summary.gaps.isEmpty || !summary.unseen.isEmpty {
      throw ExitCode.differences
    }
    if summary.undecided > 0 { throw ExitCode.temporaryFailure }
  }

  /// `incomplete  ["7"]  0/197AA58.0  'CAPTURED': holds NULL, derived 2 (captured)`
  static func line(_ difference: Difference) -> String {
    let head =
      "\(difference.kind.rawValue)  \(ReplayJSON.key(difference.key).compact)  \(difference.position)"
    let holds = difference.held.map { $0.to.map { ChangeText.quoted($0.string) } ?? "NULL" } ?? ""
    let derived = difference.expected.map { "\($0.id) (\($0.code))" } ?? "nothing"
    let status = difference.held.map { quoted($0.status) } ?? ""
    let logged: String
    switch difference.logged {
    case .known(let text)?: logged = quoted(text)
    case let other?: logged = ReplayJSON.reason(other)
    case nil: logged = "gone"
    }
    switch difference.kind {
    case .incomplete, .incorrect, .pending: return "\(head)  \(status): holds \(holds), derived \(derived)"
    case .unmapped: return "\(head)  \(status): holds \(holds), and the map knows no such status"
    case .status: return "\(head)  the log says \(logged), the target \(status)"
    case .gone: return "\(head)  the log says \(logged), the target has no such row"
    case .risen: return "\(head)  the log says it went, the target has \(status)"
    }
  }

  /// A key asked for of which the range says nothing.
  static func unseen(_ key: RowKey) -> String {
    "unseen  \(ReplayJSON.key(key).compact)  the range has no change of it"
  }

  private static func quoted(_ text: ExactText?) -> String {
    text.map { ChangeText.quoted($0.string) } ?? "NULL"
  }

  static func text(_ summary: DiffSummary) -> String {
    let counts = Difference.Class.allCases.compactMap { kind in
      summary.counts[kind].map { "\(kind.rawValue) \(HumanFormat.count($0))" }
    }
    var lines = [
      "\(HumanFormat.count(summary.lookedAt)) \(summary.lookedAt == 1 ? "key" : "keys") looked at, of "
        + "\(HumanFormat.count(summary.changes)) changes after "
        + "\(summary.range.after): \(HumanFormat.count(summary.differences)) "
        + "\(summary.differences == 1 ? "difference" : "differences")"
        + (counts.isEmpty ? "" : " (\(counts.joined(separator: ", ")))")
    ]
    if summary.explained > 0 {
      lines.append("\(HumanFormat.count(summary.explained)) differed at first, explained by what came later")
    }
    if let pending = summary.counts[.pending], pending > 0 {
      lines.append("pending: the dual-write has not come so far; `crossfade status` shows what it waits for")
    }
    if summary.undecided > 0 {
      lines.append(
        "\(HumanFormat.count(summary.undecided)) undecided: the log, read up to \(summary.logRead), does not hold all "
          + "that the target shows; with `crossfade run` up, run it again, or give --wait more seconds")
    }
    return lines.joined(separator: "\n")
  }

  static func json(_ summary: DiffSummary) -> JSONValue {
    [
      "summary": [
        "after": .string("\(summary.range.after)"), "through": .string("\(summary.range.through)"),
        "changes": .unsigned(summary.changes), "looked_at": .unsigned(summary.lookedAt),
        "differences": .unsigned(summary.differences),
        "by_class": .object(
          Difference.Class.allCases.map { ($0.rawValue, .unsigned(summary.counts[$0] ?? 0)) }),
        "explained": .unsigned(summary.explained), "undecided": .unsigned(summary.undecided),
        "unseen": .integer(Int64(summary.unseen.count)), "gaps": .integer(Int64(summary.gaps.count)),
      ]
    ]
  }
}
