public import DualWrite

/// What a cutover, or its way back, would do now, and whether it may. A value: shown before anything is done.
public struct CutoverPlan: Sendable {
  /// The slot.
  public var slot: String
  /// The phase that the migration is in; nil when nothing was ever recorded.
  public var phase: Phase?
  /// What applications are told now.
  public var reads: ReadsFlag
  /// The share that is asked for.
  public var percent: Int
  /// The new column.
  public var column: String
  /// Which way is derived now.
  public var direction: Direction
  /// What must hold.
  public var gates: [Gate]
  /// What would be done, in order.
  public var steps: [Step]
  /// What stays, though it may have been set for this migration.
  public var keeps: [String] = []
  /// What the operator must name: `public.transactions.state_id`.
  public var confirmation: String

  /// The gates that do not hold.
  public var closed: [Gate] { gates.filter { !$0.passes } }
  /// Whether every gate holds.
  public var isOpen: Bool { closed.isEmpty }
  /// Whether there is nothing to do.
  public var isEmpty: Bool { steps.isEmpty }
}

/// What came of it.
public enum CutoverResult: Sendable {
  /// Carried out; what came of each step.
  case done([StepOutcome])
  /// There was nothing to do.
  case nothing
  /// A gate does not hold; nothing was done, or no more.
  case refused
  /// It was not confirmed; nothing was done.
  case unconfirmed
}
