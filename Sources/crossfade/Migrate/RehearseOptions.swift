import ArgumentParser
import Derivation
import Logging
import Migration
import Operations
import Synchronization

/// `crossfade rollback --rehearse`: forward and back, on a clone.
struct RehearseOptions: ParsableArguments {
  @Flag(
    name: .customLong("rehearse"),
    help: "Undo nothing: try the whole migration forward and back on a clone, and keep the proof of it.")
  var isWanted = false
  @Option(help: ArgumentHelp("With --rehearse: rows of the clone, at most.", valueName: "rows"))
  var rows = 100_000
  @Option(
    help: ArgumentHelp(
      "With --rehearse: make the clone on this server, which has a copy of the database.",
      valueName: "conninfo"))
  var on: String?

  func validate() throws {
    guard isWanted || (on == nil && rows == 100_000) else {
      throw ValidationError("--rows and --on are for --rehearse")
    }
    guard (1...1_000_000_000).contains(rows) else { throw ValidationError("--rows takes 1 to 1000000000") }
  }

  func run(_ definition: SlotDefinition, _ logger: Logger, json: Bool) async throws {
    let (rows, on) = (rows, on)
    let display = RehearsalDisplay(isQuiet: json)
    let (course, plan) = try await MigrationSession.run {
      (interrupt) throws(MigrationError) -> (course: RehearsalCourse, plan: PlanHash) in
      try Rehearsal(definition: definition, rows: rows, on: on, interrupt: interrupt, logger: logger).run {
        display.show($0)
      }
    }
    display.finish(course, plan, of: definition.slot)
    if course.failure != nil { throw ExitCode.differences }
  }
}

/// Shows a rehearsal as it goes.
final class RehearsalDisplay: Sendable {
  private let isQuiet: Bool
  private let steps: StepDisplay
  /// The clone's schema: its name before every other would only be in the way.
  private let schema = Mutex("")

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    steps = StepDisplay(isQuiet: isQuiet)
  }

  func show(_ news: RehearsalNews) {
    switch news {
    case .begins(let place, let name):
      schema.withLock { $0 = name }
      say("rehearsing in \(place)")
    case .clears: say("       removing what an earlier rehearsal left")
    case .copied(let rows, let all, let ms):
      say("done   copy \(Self.count(rows)) of about \(Self.count(all)) rows\(Self.time(ms))")
    case .step(.ended(var outcome)):
      let prefix = schema.withLock { "\($0)." }
      outcome.step.title = outcome.step.title.replacing(prefix, with: "")
      steps.show(.ended(outcome))
    case .step(let news): steps.show(news)
    case .backfilled(let rows, let ms): say("done   backfill \(Self.count(rows)) rows\(Self.time(ms))")
    case .verified(let rows, let ms):
      say("done   verify: \(Self.count(rows)) rows looked at, none is wrong\(Self.time(ms))")
    case .compared: say("done   compare: columns, constraints, indexes and rows are what they were")
    }
  }

  func finish(_ course: RehearsalCourse, _ plan: PlanHash, of slot: String) {
    if isQuiet { return print(Self.json(course, plan, slot).compact) }
    let total = course.parts.reduce(Int64(0)) { $0 + $1.ms }
    if let failure = course.failure {
      print("failed: \(failure)")
    } else {
      let time = HumanFormat.duration(.milliseconds(total))
      print("passed: \(course.steps) steps forward and back in \(time), plan \(plan.short)")
    }
    print("kept in crossfade.rehearsal and in the audit trail; of the clone nothing is left")
    print("what it does not show:")
    for line in RehearsalCourse.unproven { print("  \(line)") }
  }

  private func say(_ line: String) {
    guard !isQuiet else { return }
    LineSink(fileDescriptor: 1).write(line: line)
  }

  private static func count(_ rows: Int64) -> String { HumanFormat.count(rows) }

  private static func time(_ ms: Int64) -> String {
    ms >= 1_000 ? " (took \(HumanFormat.duration(.milliseconds(ms))))" : ""
  }

  private static func json(_ course: RehearsalCourse, _ plan: PlanHash, _ slot: String) -> JSONValue {
    [
      "slot": .string(slot), "plan": .string(plan.description), "passed": .bool(course.failure == nil),
      "failure": course.failure.map { .string($0) } ?? .null, "place": .string(course.place),
      "rows": .integer(course.rows), "table_rows": .integer(course.tableRows),
      "verified": .integer(course.verified), "steps": .integer(Int64(course.steps)),
      "parts": .array(course.parts.map { ["name": .string($0.name), "ms": .integer($0.ms)] }),
      "unproven": .array(RehearsalCourse.unproven.map { .string($0) }),
    ]
  }
}
