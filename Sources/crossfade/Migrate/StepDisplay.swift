import Foundation
import Migration
import Operations
import Synchronization

/// Shows steps as they go: each that is over a line on standard output, what it waits for on standard error.
final class StepDisplay: Sendable {
  /// The last second in which something was noted.
  private let noted = Mutex(0)
  private let isQuiet: Bool
  private let start = ContinuousClock.now

  /// - Parameter isQuiet: whether the result is printed at the end, as JSON.
  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
  }

  func show(_ news: StepNews) {
    switch news {
    case .begins, .commits: break
    case .waits(_, let blockers, let attempts):
      let held = blockers.isEmpty ? "" : ", held by " + blockers.map(\.description).joined(separator: ", ")
      note("waiting for the lock (\(attempts) \(attempts == 1 ? "attempt" : "attempts") so far)\(held)")
    case .progress(_, let text): note(text)
    case .clears(_, let statement):
      note("clearing away what a broken off attempt left: \(statement)", always: true)
    case .ended(let outcome):
      guard !isQuiet else { return }
      // At once, also into a pipe: a step may take hours.
      LineSink(fileDescriptor: STDOUT_FILENO).write(line: Self.line(outcome))
    }
  }

  /// The result of a run that reached `phase`: as JSON where that was asked for, else what comes next.
  func finish(_ outcomes: [StepOutcome], of slot: String, in phase: Phase, then next: String) {
    if isQuiet {
      print(Self.json(slot: slot, phase: phase.rawValue, outcomes).compact)
    } else {
      print(outcomes.allSatisfy { $0.ending == .there } ? "nothing to do: all is there" : next)
    }
  }

  /// One line in a second, so that a long wait does not fill a log.
  private func note(_ text: String, always: Bool = false) {
    let second = Int((ContinuousClock.now - start) / .seconds(1)) + 1
    let isDue = noted.withLock { last in
      guard always || second > last else { return false }
      last = second
      return true
    }
    if isDue { LineSink.standardError.write(line: "       \(text)") }
  }

  /// `done   add nullable column state_id to public.transactions (lock: 1 attempt, 3 ms)`
  static func line(_ outcome: StepOutcome) -> String {
    var line = outcome.ending == .done ? "done   " : "there  "
    line += outcome.step.title
    guard outcome.ending == .done else { return line }
    var facts: [String] = []
    if outcome.step.lockTimeout != nil, !outcome.step.locks.isEmpty {
      facts.append(
        "lock: \(outcome.attempts) \(outcome.attempts == 1 ? "attempt" : "attempts"), \(outcome.lockWait) ms")
    }
    if outcome.took >= 1_000 {
      facts.append("took \(HumanFormat.duration(.milliseconds(Int64(outcome.took))))")
    }
    return facts.isEmpty ? line : line + " (" + facts.joined(separator: "; ") + ")"
  }

  /// A command's result.
  static func json(slot: String, phase: String?, _ outcomes: [StepOutcome]) -> JSONValue {
    [
      "slot": .string(slot), "phase": phase.map { .string($0) } ?? .null,
      "steps": .array(
        outcomes.map { outcome in
          [
            "step": .string(outcome.step.id), "title": .string(outcome.step.title),
            "state": .string(outcome.ending.rawValue), "attempts": .integer(Int64(outcome.attempts)),
            "lock_wait_ms": .integer(Int64(outcome.lockWait)), "ms": .integer(Int64(outcome.took)),
            "blockers": .array(outcome.blockers.map(json)),
          ]
        }),
    ]
  }

  private static func json(_ blocker: Blocker) -> JSONValue {
    [
      "pid": blocker.pid.map { .integer($0) } ?? .null, "application": .string(blocker.application),
      "user": .string(blocker.user), "state": .string(blocker.state),
      "transaction_seconds": blocker.transactionSeconds.map { .integer($0) } ?? .null,
      "mode": .string(blocker.mode), "query": blocker.query.map { .string($0) } ?? .null,
    ]
  }
}
