import Migration

/// What happens to a command in the middle of its work.
enum Blow: String, CaseIterable, Sendable {
  /// Its sessions are ended by `pg_terminate_backend`.
  case terminate
  /// The server drops everything and starts again.
  case restart
}

/// Where a command is struck: right before a step's commit or right after it.
struct Strike: Sendable, CustomStringConvertible {
  /// The step's id; of the bridge that comes and goes on the way back, its end is `return.exchange back`.
  var step: String
  var isAfter: Bool

  /// Both moments of each step, in order.
  static func all(_ steps: [String]) -> [Strike] {
    steps.flatMap { step in [false, true].map { Strike(step: step, isAfter: $0) } }
  }

  var description: String { "\(isAfter ? "after" : "before") \(step)" }

  /// Whether this is the moment.
  func isNow(_ news: StepNews) -> Bool {
    switch news {
    // A turn commits nothing of its own before it is asked for.
    case .begins(let step): step.id == "cutover.direction" && isAbout(step) && !isAfter
    case .commits(let step): isAbout(step) && !isAfter
    // A page of it is committed.
    case .progress(let step, _): isAbout(step)
    case .ended(let outcome): isAbout(outcome.step) && outcome.ending == .done && isAfter
    case .waits, .clears: false
    }
  }

  private func isAbout(_ step: Step) -> Bool {
    let isEnd = step.title.hasPrefix("drop the bridge")
    return self.step == (isEnd ? "\(step.id) back" : step.id)
  }
}
