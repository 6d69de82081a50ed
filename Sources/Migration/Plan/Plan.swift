public import Derivation
public import Postgres

/// A migration as it would be carried out now: what was looked at, each step with its cost, and what has to be accepted. A
/// value; `PlanSurvey` makes it, the command line shows it, the emitters turn it into files.
public struct Plan: Sendable {
  /// A step, and where it stands.
  public struct Entry: Sendable, Hashable {
    /// What is done.
    public var step: Step
    /// Whether its effect stands already, so that it will be passed over.
    public var isDone: Bool
    /// What it will cost.
    public var estimate: Estimate

    /// An entry from its parts.
    public init(step: Step, isDone: Bool = false, estimate: Estimate = Estimate()) {
      self.step = step
      self.isDone = isDone
      self.estimate = estimate
    }
  }

  /// The definition it is of.
  public var definition: SlotDefinition
  /// The server's version.
  public var server: ServerVersion
  /// Names it by what it will do.
  public var hash: PlanHash
  /// What was looked at, and came of it.
  public var findings: [Finding]
  /// The steps in order.
  public var entries: [Entry]
  /// How large the table is and how that is known, in sentences; empty where it could not be told.
  public var sizes: [String]
  /// The hazards that were accepted, by the definition or the command line.
  public var accepted: Set<Hazard>

  /// A plan from its parts.
  public init(
    definition: SlotDefinition, server: ServerVersion, hash: PlanHash, findings: [Finding], entries: [Entry],
    sizes: [String] = [], accepted: Set<Hazard> = []
  ) {
    self.definition = definition
    self.server = server
    self.hash = hash
    self.findings = findings
    self.entries = entries
    self.sizes = sizes
    self.accepted = accepted
  }

  /// The steps whose effect does not stand yet.
  public var pending: [Entry] { entries.filter { !$0.isDone } }

  /// What they cost together.
  public var total: Estimate { Estimator.total(pending.map(\.estimate)) }

  /// The hazards of the steps that are still to be done, each with those steps, in the order of their declaration.
  public var hazards: [(hazard: Hazard, steps: [String])] {
    Hazard.allCases.compactMap { hazard in
      let steps = pending.filter { $0.step.hazards.contains(hazard) }.map(\.step.id)
      return steps.isEmpty ? nil : (hazard, steps)
    }
  }

  /// Those that nobody has accepted yet.
  public var unaccepted: [Hazard] { hazards.map(\.hazard).filter { !accepted.contains($0) } }

  /// Whether it can be carried out as it stands.
  public var isReady: Bool { !findings.contains { $0.level == .fail } && unaccepted.isEmpty }
}
