import ArgumentParser
import Derivation
import Foundation
import Migration
import Operations

/// `crossfade rollback`: the way back.
struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Undoes the migration: capture, constraints, the new column, the map. What stood before stays.",
    discussion: """
      Says first what it will do and what is lost by it; then asks, or wants the column's name in --yes-drop. Refuses \
      while `crossfade run` or `crossfade backfill` is at work. Killed anywhere, it can be run again. The audit trail stays.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @Option(help: ArgumentHelp("Do it: the column that goes, as schema.table.column.", valueName: "name"))
  var yesDrop: String?
  @OptionGroup var rehearsal: RehearseOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("rollback")
      if rehearsal.isWanted { return try await rehearsal.run(definition, logger, json: json) }
      let display = StepDisplay(isQuiet: json)
      let confirmation = RollbackConfirmation(given: yesDrop, isQuiet: json)
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
        print("rolled back; the audit trail stays: crossfade audit \(slot.path)")
      }
      if outcomes == nil {
        if let yesDrop, yesDrop != plan.confirmation {
          throw Failure(
            summary: "--yes-drop names \(yesDrop), and what goes is \(plan.confirmation)",
            hint: "nothing was done; name the column that goes", exitCode: ExitCode.refused.rawValue)
        }
        throw ExitCode.refused
      }
    }
  }
}

/// Asks whether to go on: by the option, or on a terminal.
private struct RollbackConfirmation: Sendable {
  let given: String?
  let isQuiet: Bool

  func ask(_ plan: RollbackPlan) -> Bool {
    if !isQuiet { LineSink(fileDescriptor: STDOUT_FILENO).write(line: RollbackReport(plan).text) }
    if let given { return given == plan.confirmation }
    guard !isQuiet, isatty(STDIN_FILENO) == 1 else {
      LineSink.standardError.write(
        line: "nothing was done: to do it, add --yes-drop \(RollbackReport.shellWord(plan.confirmation))")
      return false
    }
    LineSink.standardError.write(line: "to do it, write the column that goes (\(plan.confirmation)):")
    return readLine() == plan.confirmation
  }
}

/// What a rollback would do or did.
private struct RollbackReport {
  private let plan: RollbackPlan

  init(_ plan: RollbackPlan) { self.plan = plan }

  /// The line as a shell takes it.
  static func shellWord(_ text: String) -> String {
    text.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) }
      ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }

  var text: String {
    var lines = ["slot \(plan.slot) is \(plan.phase?.rawValue ?? "not recorded"); to be undone:"]
    lines += (plan.capture + plan.steps.map(\.undoneTitle)).enumerated().map { "  \($0 + 1)  \($1)" }
    lines += plan.keeps.map { "keeps: \($0)" }
    lines += (plan.loses.isEmpty ? ["nothing"] : plan.loses).map { "loses: \($0)" }
    return lines.joined(separator: "\n")
  }

  func json(_ outcomes: [StepOutcome]?) -> JSONValue {
    [
      "slot": .string(plan.slot), "phase": plan.phase.map { .string($0.rawValue) } ?? .null,
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
  fileprivate var undoneTitle: String { statements.joined(separator: "; ") }
}
