import ArgumentParser
import Migration

/// Which plan was reviewed, and which of its hazards are accepted.
struct PlanOptions: ParsableArguments {
  @Option(
    name: .customLong("plan"),
    help: ArgumentHelp("Do only what the plan of this hash says (12 digits or more).", valueName: "hash"))
  var hash: String?
  @Option(
    name: .customLong("accept"), parsing: .singleValue,
    help: ArgumentHelp(
      "Accept a hazard, beside those in migrate.accept. May be given several times.", valueName: "hazard"),
    transform: { try word($0, of: Hazard.self) })
  var accepted: [Hazard] = []

  /// What keeps the command to it.
  var gate: PlanGate { PlanGate(named: hash, accepted: Set(accepted)) }
}
