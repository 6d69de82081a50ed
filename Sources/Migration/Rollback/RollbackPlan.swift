/// What a rollback would do. A value: shown before anything is done.
public struct RollbackPlan: Sendable {
  /// The slot.
  public var slot: String
  /// The phase that the migration is in; nil when nothing was ever recorded.
  public var phase: Phase?
  /// What is undone, in the order in which it is.
  public var steps: [Step]
  /// What is done to capture first, in sentences: slot, checkpoint, log.
  public var capture: [String]
  /// What stays, and why.
  public var keeps: [String]
  /// What is gone afterwards, and whether it can be had again.
  public var loses: [String]
  /// What the operator must name: `public.transactions.state_id`, the column that goes; or the one that comes back.
  public var confirmation: String
  /// Where the migration is afterwards. From a later phase one stage is undone at a time: applications have to follow.
  public var goal = Phase.planned

  /// Whether there is nothing to undo.
  public var isEmpty: Bool { steps.isEmpty && capture.isEmpty }
}
