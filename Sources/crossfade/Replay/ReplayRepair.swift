import ArgumentParser
import ChangeLog
import Derivation
import Glibc
import Logging
import Operations
import PGOutput
import Postgres
import Replay

/// Repairs the target: counts first, asks, then writes.
struct ReplayRepair {
  let task: ReplayTask
  let batch: Int?
  let rate: Int?
  let yes: Bool
  let restart: Bool
  let logger: Logger

  /// What the first look found.
  private struct Prospect: Sendable {
    var standing: RepairStanding
    var count: RepairCount
  }

  func run() async throws {
    let logger = logger
    let restart = restart
    let task = task
    let (batch, rate) = (batch, rate)
    let plan: @Sendable () throws(ReplayError) -> RepairPlan = { () throws(ReplayError) in
      RepairPlan(
        log: task.log, definition: task.definition,
        request: RepairRecord.Request(
          from: task.start.text, to: task.end?.text, keys: RepairRecord.Request.text(of: task.keys),
          map: RepairRecord.Request.text(of: task.states),
          derive: RepairRecord.Request.text(of: task.definition.derive),
          systemIdentifier: try task.bounds().origin.systemIdentifier),
        keys: task.keys, states: task.states, crossesDamage: task.crossesDamage,
        batch: batch ?? task.definition.write.batch, rate: rate)
    }
    let interrupt = try ReplayTask.stopping()
    let prospect = try await ReplayTask.run { () throws(ReplayError) -> Prospect in
      try Self.look(try plan(), task, restart: restart, logger, interrupt)
    }
    tell(prospect)
    let mustWrite = prospect.count.written > 0
    if mustWrite, !yes { try confirm(prospect.count.written) }
    let done = try await ReplayTask.run { () throws(ReplayError) -> RepairRecord in
      let display = ReplayDisplay("repair", prospect.standing.range)
      defer { display.finish() }
      return try Repair(try plan(), interrupt: interrupt, logger: logger).run(prospect.standing) {
        display.show(
          $0.position, changes: UInt64(clamping: $0.changes),
          note: "\(HumanFormat.count(UInt64(clamping: $0.written))) rows written")
      }
    }
    let unmapped = prospect.count.counts[.unmapped] ?? 0
    print(task.json ? Self.json(done, unmapped).compact : Self.text(done, unmapped))
    if done.refused > 0 || done.gaps > 0 || unmapped > 0 { throw ExitCode.differences }
  }

  private static func look(
    _ plan: RepairPlan, _ task: ReplayTask, restart: Bool, _ logger: Logger, _ interrupt: Interrupt
  ) throws(ReplayError) -> Prospect {
    let target = try TargetReader(task.definition, interrupt: interrupt)
    try target.requireSource(try task.bounds().origin)
    let map = if let states = task.states { StateMap(states) } else { try target.map() }
    let standing = try Self.standing(plan, task, restart, logger, interrupt)
    let display = ReplayDisplay("count", standing.range)
    defer { display.finish() }
    let count = try RepairCount.run(
      plan, range: standing.range, map: map, target: target, interrupt: interrupt,
      progress: { display.show($0, changes: $1) })
    return Prospect(standing: standing, count: count)
  }

  private static func standing(
    _ plan: RepairPlan, _ task: ReplayTask, _ restart: Bool, _ logger: Logger, _ interrupt: Interrupt
  ) throws(ReplayError) -> RepairStanding {
    let search = ReplaySearch()
    defer { search.finish() }
    return try Repair(plan, interrupt: interrupt, logger: logger).standing(
      task.asked, restart: restart, progress: search.show)
  }

  /// What would be written, on standard error: the outcome alone goes to standard output.
  private func tell(_ prospect: Prospect) {
    let count = prospect.count
    let after = prospect.standing.range.after
    func number(_ kind: Difference.Class) -> String { HumanFormat.count(count.counts[kind] ?? 0) }
    var lines: [String] = []
    if prospect.standing.isResumed { lines.append("goes on after \(after), where it was interrupted") }
    lines += count.gaps.map(ReplayTask.text)
    lines.append(
      "\(HumanFormat.count(count.rows)) rows of \(HumanFormat.count(count.changes)) changes after "
        + "\(after): \(count.isUpperBound ? "at most " : "")\(HumanFormat.count(count.written)) to write "
        + "(incomplete \(number(.incomplete)), incorrect \(number(.incorrect))), "
        + "\(number(.unmapped)) without a state in the map, left as they are")
    for line in lines { LineSink.standardError.write(line: line) }
  }

  private func confirm(_ rows: UInt64) throws {
    let hint = "give --yes to write them"
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      throw Failure(summary: "nothing was written", hint: hint, exitCode: ExitCode.refused.rawValue)
    }
    LineSink.standardError.write(line: "write \(HumanFormat.count(rows)) rows? Type yes to do it:")
    guard readLine() == "yes" else {
      throw Failure(summary: "nothing was written", hint: hint, exitCode: ExitCode.refused.rawValue)
    }
  }

  private static func text(_ done: RepairRecord, _ unmapped: UInt64) -> String {
    var line =
      "replay done up to \(done.position): \(HumanFormat.count(UInt64(clamping: done.changes))) changes, "
      + "\(HumanFormat.count(UInt64(clamping: done.written))) rows written"
    if unmapped > 0 { line += ", \(HumanFormat.count(unmapped)) without a state in the map" }
    if done.refused > 0 {
      line += ", \(HumanFormat.count(UInt64(clamping: done.refused))) refused by the target"
    }
    if done.gaps > 0 { line += ", \(done.gaps) \(done.gaps == 1 ? "gap" : "gaps") crossed" }
    return line
  }

  private static func json(_ done: RepairRecord, _ unmapped: UInt64) -> JSONValue {
    [
      "position": .string("\(done.position)"), "changes": .integer(done.changes),
      "written": .integer(done.written), "unmapped": .unsigned(unmapped), "refused": .integer(done.refused),
      "gaps": .integer(done.gaps), "finished": .bool(done.finished),
    ]
  }
}
