import ArgumentParser
import Derivation
import Glibc
import Migration
import Operations
import Postgres

/// `crossfade cutover`: readers are told to read the new column, and back.
struct CutoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cutover",
    abstract:
      "Tells applications to read the new column, and keeps the old one in step from it; --back undoes that.",
    discussion: """
      Looks at every gate first and shows what it found; then asks, or wants the new column's name in --confirm. \
      Applications ask for the flag by crossfade.reads_new(slot, key). --back tells them to read the old column again, at \
      once; both columns stay in step. Killed anywhere, it can be run again.

      Exit code 0: done, or with --dry-run every gate holds; 3: a gate does not hold, or it was not confirmed.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions
  @OptionGroup var plan: PlanOptions
  @Option(help: "How many percent of the keys read the new column. Less than now goes back that far.")
  var percent: Int?
  @Flag(help: "Tell applications to read the old column again.") var back = false
  @Flag(
    help:
      "With --back: also end what keeps the old column in step; refused while anybody writes the new one alone."
  )
  var forwardOnly = false
  @Flag(
    help:
      "With --forward-only: leave the old column nullable where it was required before the cutover; for rows without an old text."
  )
  var keepNullable = false
  @Flag(help: "With --back: also while `crossfade run` is not at work.") var force = false
  @Flag(help: "Look at the gates and say what would be done; do nothing.") var dryRun = false
  @Option(
    name: .long, defaultAsFlag: 2, parsing: .next,
    help: ArgumentHelp(
      "With --dry-run: look again every so many seconds until every gate holds. Put it after the definition.",
      valueName: "seconds"))
  var watch: Double?
  @Option(
    help: ArgumentHelp(
      "Do it: the column that will be read, as schema.table.column; with --forward-only the old one.",
      valueName: "name"))
  var confirm: String?
  @Option(
    help: ArgumentHelp(
      "How long stream and verification may take to come up to what is committed now (default: 10s).",
      valueName: "time"),
    transform: duration)
  var wait = Milliseconds.seconds(10)
  @Option(
    help: ArgumentHelp(
      "How long `crossfade run` may take to turn (default: 1m).", valueName: "time"), transform: duration)
  var turn = Milliseconds.seconds(60)
  @Option(
    help: ArgumentHelp(
      "With --forward-only: how long nobody may have written the new column alone (default: 1h).",
      valueName: "time"),
    transform: duration)
  var quiet = Milliseconds.seconds(3_600)
  @Option(
    help: ArgumentHelp(
      "The most seconds for the look at all statuses of the table; with --forward-only, for rows without one.",
      valueName: "seconds"))
  var scan = 5
  @Flag(help: "Print one JSON object; with --watch one a line.") var json = false

  func validate() throws {
    if let percent, !(1...100).contains(percent) {
      throw ValidationError("--percent takes 1 to 100; --back goes back to none")
    }
    if back, percent != nil { throw ValidationError("--back goes back to none: leave out --percent") }
    if forwardOnly || force, !back { throw ValidationError("--forward-only and --force are for --back") }
    if forwardOnly, force {
      throw ValidationError("--forward-only needs `crossfade run` at work: --force is for --back alone")
    }
    if keepNullable, !forwardOnly {
      throw ValidationError("--keep-nullable is for --back --forward-only")
    }
    if watch != nil, !dryRun { throw ValidationError("--watch is for --dry-run") }
    if let watch, !(0.1...3_600).contains(watch) {
      throw ValidationError("--watch takes 0.1 to 3600 seconds")
    }
    guard (1...86_400).contains(scan) else { throw ValidationError("--scan takes 1 to 86400 seconds") }
    if dryRun, back, !forwardOnly {
      throw ValidationError("--back has no gates but `crossfade run`: it needs no --dry-run")
    }
  }

  private static func duration(_ text: String) throws -> Milliseconds {
    guard let duration = Milliseconds(text), duration.count > 0 else {
      throw ValidationError("'\(text)' is not a time such as 10s, 5m or 1h")
    }
    return duration
  }

  private var options: CutoverOptions {
    var options = CutoverOptions()
    options.percent = percent ?? 100
    options.patience = wait.count
    options.turn = turn.count
    options.quiet = max(1, quiet.count / 1_000)
    options.scan = scan * 1_000
    options.keepsNullable = keepNullable
    return options
  }

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      let logger = logging.logger("cutover")
      let (options, gate) = (options, plan.gate)
      let outcome = try await MigrationSession.run { [self] (interrupt) throws(MigrationError) -> Outcome in
        let cutover = Cutover(
          definition: definition, options: options, interrupt: interrupt, logger: logger, gate: gate)
        if dryRun { return .looked(try look(cutover, interrupt)) }
        return try carryOut(cutover)
      }
      try finish(outcome, definition)
    }
  }

  /// What came of the command.
  private enum Outcome: Sendable {
    case looked(CutoverPlan)
    case turned(CutoverPlan?, CutoverResult, RunProgress? = nil)
  }

  private func look(_ cutover: Cutover, _ interrupt: Interrupt) throws(MigrationError) -> CutoverPlan {
    let screen = WatchScreen(inPlace: !json && isatty(STDOUT_FILENO) == 1)
    while true {
      let plan = forwardOnly ? try cutover.forwardOnlyPlan() : try cutover.plan()
      guard let watch, !plan.isOpen else { return plan }
      screen.show(json ? CutoverReport(plan).json(nil).compact : CutoverReport(plan).gates)
      if interrupt.wait(milliseconds: Int(watch * 1_000)) { return plan }
    }
  }

  private func carryOut(_ cutover: Cutover) throws(MigrationError) -> Outcome {
    let display = StepDisplay(isQuiet: json)
    let confirmation = CutoverConfirmation(given: confirm, isQuiet: json)
    if back, !forwardOnly {
      // Readers first, at once; how far `run` is is told after.
      let result = try cutover.back(force: force) { display.show($0) }
      if case .nothing = result { return .turned(nil, result) }
      return .turned(nil, result, try cutover.progress())
    }
    if forwardOnly {
      let (plan, result) = try cutover.forwardOnly(
        confirm: { confirmation.ask($0) }, report: { display.show($0) })
      return .turned(plan, result)
    }
    let (plan, result) = try cutover.run(
      confirm: { confirmation.ask($0) }, report: { display.show($0) })
    return .turned(plan, result)
  }
}

extension CutoverCommand {
  /// Prints the end of it, and the exit code.
  private func finish(_ outcome: Outcome, _ definition: SlotDefinition) throws {
    switch outcome {
    case .looked(let plan):
      print(json ? CutoverReport(plan).json(nil).compact : CutoverReport(plan).text)
      if !plan.isOpen { throw ExitCode.refused }
    case .turned(let plan, let result, let progress):
      if json {
        print(CutoverReport.json(plan, result, progress, slot: definition.slot).compact)
      } else if let text = CutoverReport.ending(plan, result, definition.derive, slot.path) {
        print(text)
        let derive = definition.derive
        if let progress {
          print(progress.sentence(old: derive.from.description, new: derive.to.description))
        }
      }
      switch result {
      case .done, .nothing: return
      case .refused: throw ExitCode.refused
      case .unconfirmed:
        if let plan, let confirm, confirm != plan.confirmation {
          throw Failure(
            summary: "--confirm names \(confirm), and what is to be named is \(plan.confirmation)",
            hint: "nothing was done; name that column", exitCode: ExitCode.refused.rawValue)
        }
        throw ExitCode.refused
      }
    }
  }
}

/// Shows the plan, and asks whether to go on.
struct CutoverConfirmation: Sendable {
  let given: String?
  let isQuiet: Bool

  func ask(_ plan: CutoverPlan) -> Bool {
    if !isQuiet { LineSink(fileDescriptor: STDOUT_FILENO).write(line: CutoverReport(plan).text) }
    return Confirmation(given: given, isQuiet: isQuiet).ask(plan.confirmation, what: "the column's name")
  }
}
