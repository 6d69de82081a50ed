import ArgumentParser
import Derivation
import Foundation
import Migration
import Operations

/// `crossfade contract`: the old column's end.
struct ContractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "contract",
    abstract: "Requires the new column, renames the old one; later, with --drop, drops it.",
    discussion: """
      Locked until nobody has written the old way for `migrate.quiet`, nothing depends on the old column and a \
      verification holds: `crossfade readiness` shows it all. Says what it will do, then asks, or wants the column's name \
      in --confirm. Killed anywhere, it can be run again; `crossfade rollback` goes back, \
      also after the drop.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var plan: PlanOptions
  @OptionGroup var logging: LoggingOptions
  @Flag(help: "Drop the retired column, once migrate.grace is over.") var drop = false
  @Flag(help: "Stop before the rename, which another tool does.") var rest = false
  @Option(help: ArgumentHelp("Do it: the column that goes, as schema.table.column.", valueName: "name"))
  var confirm: String?
  @Flag(help: "Show what would be done, and what is in the way; do nothing.") var dryRun = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard !(drop && rest) else { throw ValidationError("--drop and --rest are two things: take one") }
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("contract")
      let display = StepDisplay(isQuiet: json)
      let confirmation = ContractConfirmation(
        given: confirm, isQuiet: json, isDry: dryRun)
      let (goal, gate) = (drop ? Contract.Goal.dropped : rest ? .rest : .retired, plan.gate)
      let (found, outcomes) = try await MigrationSession.run {
        (interrupt) throws(MigrationError) -> (plan: ContractPlan, outcomes: [StepOutcome]?) in
        try Contract(definition: definition, goal: goal, interrupt: interrupt, logger: logger, gate: gate)
          .run(
            confirm: { confirmation.ask($0) }, report: { display.show($0) })
      }
      let report = ContractReport(found)
      if json {
        print(report.json(outcomes, isDry: dryRun).compact)
      } else if !found.isAllowed {
        print(report.refusal)
      } else if found.steps.isEmpty {
        print(report.nothing)
      } else if outcomes != nil {
        print(report.next(slot.path))
      }
      try end(found, outcomes)
    }
  }

  private func end(_ plan: ContractPlan, _ outcomes: [StepOutcome]?) throws {
    guard plan.isAllowed else { throw ExitCode.refused }
    guard outcomes == nil, !dryRun else { return }
    if let given = confirm {
      throw Failure(
        summary: "--confirm names \(given), and what goes is \(plan.confirmation)",
        hint: "nothing was done; name the column that goes", exitCode: ExitCode.refused.rawValue)
    }
    throw ExitCode.refused
  }
}

/// Shows the plan, and asks whether to go on.
private struct ContractConfirmation: Sendable {
  let given: String?
  let isQuiet: Bool
  let isDry: Bool

  func ask(_ plan: ContractPlan) -> Bool {
    guard !plan.steps.isEmpty else { return true }
    if !isQuiet, given == nil || isDry {
      LineSink(fileDescriptor: STDOUT_FILENO).write(line: ContractReport(plan).text)
    }
    if isDry { return false }
    return Confirmation(given: given, isQuiet: isQuiet).ask(plan.confirmation, what: "the column that goes")
  }
}
