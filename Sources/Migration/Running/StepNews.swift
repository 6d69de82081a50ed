/// What is told of a step while it runs.
public enum StepNews: Sendable {
  /// It is looked at now.
  case begins(Step)
  /// Its lock is held by others; it waits and tries again.
  case waits(Step, for: [Blocker], attempts: Int)
  /// How far a long one is, in words.
  case progress(Step, String)
  /// What a broken off attempt had left is cleared away by this statement.
  case clears(Step, statement: String)
  /// All its statements have run, the commit comes next.
  case commits(Step)
  /// It is over.
  case ended(StepOutcome)
}

/// What came of a step.
public struct StepOutcome: Sendable, Hashable {
  /// How it ended.
  public enum Ending: String, Sendable {
    /// It was run now.
    case done
    /// Nothing was to be done: it stands, or on the way back is gone.
    case there
  }

  /// The step.
  public var step: Step
  /// How it ended.
  public var ending: Ending
  /// How often its lock was asked for.
  public var attempts = 0
  /// Milliseconds that it was waited for, all attempts together.
  public var lockWait = 0
  /// Who held it meanwhile.
  public var blockers: [Blocker] = []
  /// Milliseconds from the first look to the end.
  public var took = 0
}
