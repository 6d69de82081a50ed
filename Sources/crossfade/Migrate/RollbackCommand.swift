import ArgumentParser
import Derivation
import Foundation
import Migration
import Operations

/// `crossfade rollback`: the way back.
struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Undoes the migration, a stage at a time. What stood before stays.",
    discussion: """
      Says first what it will do and what is lost by it; then asks, or wants a column's name. A contract that was begun or \
      done is undone first: the old column comes back, filled, and both are kept in step (--confirm; `crossfade run` \
      must be at work). Then readers are told to read it (--confirm). Everything else - capture, constraints, the new \
      column, the map - goes once only the old column is written (--yes-drop; `run` and `backfill` must be stopped). Killed anywhere, it can be run again. The \
      audit trail stays.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Option(help: ArgumentHelp("Do it: the column that goes, as schema.table.column.", valueName: "name"))
  var yesDrop: String?
  @Option(
    help: ArgumentHelp(
      "After a contract or cutover, do it: the column that comes back, as schema.table.column.",
      valueName: "name"))
  var confirm: String?
  @OptionGroup var rehearsal: RehearseOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("rollback")
      if rehearsal.isWanted { return try await rehearsal.run(definition, logger, json: json) }
      let display = StepDisplay(isQuiet: json)
      let confirmation = RollbackConfirmation(drops: yesDrop, returns: confirm, isQuiet: json)
      let (plan, outcomes) = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> (plan: RollbackPlan, outcomes: [StepOutcome]?) in
        try Rollback(definition: definition, interrupt: interrupt, logger: logger).run(
          confirm: { confirmation.ask($0) }, report: { display.show($0) })
      }
      if json {
        print(RollbackReport(plan).json(outcomes).compact)
      } else if plan.isEmpty {
        print("nothing to roll back: nothing of slot \(plan.slot) is there")
      } else if outcomes != nil {
        print(RollbackReport(plan).next(slot.path))
      }
      if outcomes == nil {
        let does = RollbackConfirmation.what(plan)
        if let given = plan.goal == .planned ? yesDrop : confirm, given != plan.confirmation {
          throw Failure(
            summary:
              "\(RollbackConfirmation.option(plan)) names \(given), and what \(does) is \(plan.confirmation)",
            hint: "nothing was done; name the column that \(does)", exitCode: ExitCode.refused.rawValue)
        }
        throw ExitCode.refused
      }
    }
  }
}

/// Shows the plan, and asks whether to go on: the option is that of the stage.
private struct RollbackConfirmation: Sendable {
  let drops: String?
  let returns: String?
  let isQuiet: Bool

  static func option(_ plan: RollbackPlan) -> String {
    plan.goal == .planned ? "--yes-drop" : "--confirm"
  }

  static func what(_ plan: RollbackPlan) -> String { plan.goal == .planned ? "goes" : "comes back" }

  func ask(_ plan: RollbackPlan) -> Bool {
    if !isQuiet { LineSink(fileDescriptor: STDOUT_FILENO).write(line: RollbackReport(plan).text) }
    return Confirmation(
      given: plan.goal == .planned ? drops : returns, option: Self.option(plan), isQuiet: isQuiet
    ).ask(plan.confirmation, what: "the column that \(Self.what(plan))")
  }
}

/// What a rollback would do or did.
struct RollbackReport {
  private let plan: RollbackPlan

  init(_ plan: RollbackPlan) { self.plan = plan }

  var text: String {
    let goal = plan.goal == .planned ? "" : ", back to \(plan.goal.rawValue)"
    var lines = ["slot \(plan.slot) is \(plan.phase?.rawValue ?? "not recorded"); to be undone\(goal):"]
    lines += (plan.capture + plan.steps.map(\.undoneTitle)).enumerated().map { "  \($0 + 1)  \($1)" }
    lines += plan.keeps.map { "keeps: \($0)" }
    lines += (plan.loses.isEmpty ? ["nothing"] : plan.loses).map { "loses: \($0)" }
    return lines.joined(separator: "\n")
  }

  func next(_ path: String) -> String {
    switch plan.goal {
    case .planned: "rolled back; the audit trail stays: crossfade audit \(path)"
    case .cutOver: "back to cut over; next: crossfade verify \(path) --restart, or crossfade rollback \(path)"
    default: "back to \(plan.goal.rawValue); next: crossfade cutover \(path) --back --forward-only"
    }
  }

  func json(_ outcomes: [StepOutcome]?) -> JSONValue {
    [
      "slot": .string(plan.slot), "phase": plan.phase.map { .string($0.rawValue) } ?? .null,
      "goal": .string(plan.goal.rawValue),
      "done": .bool(outcomes != nil), "capture": .array(plan.capture.map { .string($0) }),
      "steps": .array(
        plan.steps.map { step in
          [
            "step": .string(step.id), "title": .string(step.title),
            "statements": .array(step.statements.map { .string($0) }),
          ]
        }),
      "keeps": .array(plan.keeps.map { .string($0) }), "loses": .array(plan.loses.map { .string($0) }),
      "confirmation": .string(plan.confirmation),
      "outcomes": outcomes.map { outcomes in
        .array(
          outcomes.map {
            [
              "step": .string($0.step.id), "state": .string($0.ending.rawValue),
              "attempts": .integer(Int64($0.attempts)),
              "lock_wait_ms": .integer(Int64($0.lockWait)),
            ]
          })
      } ?? .null,
    ]
  }
}

extension Step {
  /// Its statements say best what goes.
  fileprivate var undoneTitle: String {
    // Of the way back from a contract some are no statements, and others long functions.
    statements.isEmpty || id.hasPrefix("return.") ? title : statements.joined(separator: "; ")
  }
}
