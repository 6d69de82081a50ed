import Derivation

/// A step's SQL as every tool needs it: statements closed, limits set, a few words on top.
struct EmittedSQL {
  let item: Emission.NumberedStep
  let plan: Plan

  private var step: Step { item.step }

  /// Comment lines: what it is, what it locks, for how long.
  var heading: [String] {
    let locks = step.locks.map { "\($0.mode.rawValue) on \($0.table)" }.joined(separator: ", ")
    return [
      "\(step.id): \(step.title)",
      "crossfade plan \(plan.hash.short) of slot \(plan.definition.slot)"
        + (locks.isEmpty ? "" : "; locks \(locks), \(step.hold)"),
    ].map { $0.replacing("\n", with: " ").replacing("\r", with: " ") }
  }

  /// `SET` statements for a transaction, over when it ends.
  var localLimits: [String] {
    ["SET LOCAL lock_timeout = '\(lockTimeout)'", "SET LOCAL statement_timeout = '\(statementTimeout)'"]
  }

  /// `SET` statements for a session.
  var sessionLimits: [String] {
    ["SET lock_timeout = '\(lockTimeout)'", "SET statement_timeout = '\(statementTimeout)'"]
  }

  /// What puts them back.
  static let resetLimits = ["RESET lock_timeout", "RESET statement_timeout"]

  /// The longest attempt: other tools try once.
  private var lockTimeout: String { step.lockTimeout.map { "\($0.upperBound)ms" } ?? "0" }

  private var statementTimeout: String { step.statementTimeout == 0 ? "0" : "\(step.statementTimeout)ms" }

  /// Whether its statements run outside of a transaction.
  var isAlone: Bool { step.manner == .alone }

  /// The way back as a step of its own; nil where statements undo nothing.
  var back: EmittedSQL? {
    step.reversed.map {
      EmittedSQL(item: .init(number: item.number, step: $0, digits: item.digits), plan: plan)
    }
  }

  /// Each with its semicolon.
  static func closed(_ statements: [String]) -> [String] { statements.map { $0 + ";" } }
}
