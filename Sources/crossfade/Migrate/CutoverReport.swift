import Derivation
import DualWrite
import Migration
import Operations

/// A cutover as it would be done, and as it was.
struct CutoverReport {
  private let plan: CutoverPlan

  init(_ plan: CutoverPlan) { self.plan = plan }

  var text: String {
    let steps =
      plan.isEmpty
      ? ["nothing to do: it stands"]
      : ["to be done:"] + plan.steps.enumerated().map { "  \($0 + 1)  \($1.id): \($1.title)" }
    return ([gates, ""] + steps).joined(separator: "\n")
  }

  /// A line a gate; of one that does not hold also what is asked and how to mend it.
  var gates: String {
    let width = plan.gates.map(\.name.count).max() ?? 0
    var lines = [
      "slot \(plan.slot) is \(plan.phase?.rawValue ?? "not recorded"), \(plan.reads.percent) % of reads use \(plan.column); the "
        + "dual-write's direction is \(plan.direction.standing.rawValue)", "",
    ]
    for gate in plan.gates {
      let name = gate.name + String(repeating: " ", count: width - gate.name.count)
      let age = gate.age.flatMap { $0 < 1 ? nil : ", \(HumanFormat.wholeSeconds(.seconds($0))) ago" } ?? ""
      lines.append("\(gate.passes ? "pass" : "fail")  \(name)  \(gate.value)\(age)")
      guard !gate.passes else { continue }
      lines.append("      asked: \(gate.threshold)")
      if let mend = gate.mend { lines.append("      mend:  \(mend)") }
    }
    if !plan.isOpen {
      lines += [
        "",
        "\(plan.closed.count) of \(plan.gates.count) gates \(plan.closed.count == 1 ? "does" : "do") not hold",
      ]
    }
    return lines.joined(separator: "\n")
  }

  /// The last line of a command; nil where all is said.
  static func ending(
    _ plan: CutoverPlan?, _ result: CutoverResult, _ derive: SlotDefinition.Derive, _ path: String
  ) -> String? {
    switch result {
    case .nothing: return "nothing to do: it stands"
    case .unconfirmed: return nil
    case .refused: return plan.map { CutoverReport($0).gates + "\nnothing more was done" }
    case .done:
      guard let plan, plan.percent > 0 else {
        return plan == nil
          ? "applications are told to read \(derive.from); both columns stay in step"
          : "\(derive.from) alone counts again; next: crossfade verify \(path)"
      }
      return plan.percent == 100
        ? "cut over: applications are told to read \(derive.to); \(derive.from) is kept in step for those who do not yet"
        : "\(plan.percent) % of keys are told to read \(derive.to); next: crossfade cutover \(path) --percent 100"
    }
  }

  func json(_ result: CutoverResult?) -> JSONValue {
    [
      "slot": .string(plan.slot), "phase": plan.phase.map { .string($0.rawValue) } ?? .null,
      "percent": .integer(Int64(plan.reads.percent)), "asked_percent": .integer(Int64(plan.percent)),
      "standing": .string(plan.direction.standing.rawValue), "open": .bool(plan.isOpen),
      "gates": .array(
        plan.gates.map { gate in
          [
            "gate": .string(gate.name), "passes": .bool(gate.passes), "value": .string(gate.value),
            "threshold": .string(gate.threshold), "age_seconds": gate.age.map { .number($0) } ?? .null,
            "mend": gate.mend.map { .string($0) } ?? .null,
          ]
        }),
      "steps": .array(
        plan.steps.map { step in
          [
            "step": .string(step.id), "title": .string(step.title),
            "statements": .array(step.statements.map { .string($0) }),
          ]
        }), "confirmation": .string(plan.confirmation),
      "result": result.map { .string(Self.word($0)) } ?? .null,
      "outcomes": result.map(Self.outcomes) ?? .null,
    ]
  }

  /// What a command did; of `--back`, which has no gates, only that.
  static func json(
    _ plan: CutoverPlan?, _ result: CutoverResult, _ progress: RunProgress?, slot: String
  ) -> JSONValue {
    plan.map { CutoverReport($0).json(result) }
      ?? [
        "slot": .string(slot), "result": .string(word(result)), "outcomes": outcomes(result),
        "run": progress.map(json) ?? .null,
      ]
  }

  private static func json(_ progress: RunProgress) -> JSONValue {
    [
      "wal": .string("\(progress.target)"), "applied": .string("\(progress.applied)"),
      "bytes_behind": .unsigned(progress.behind), "has_moved": .bool(progress.hasMoved),
      "checkpoint_age_seconds": progress.age.map { .number($0) } ?? .null,
    ]
  }

  private static func word(_ result: CutoverResult) -> String {
    switch result {
    case .done: "done"
    case .nothing: "nothing"
    case .refused: "refused"
    case .unconfirmed: "unconfirmed"
    }
  }

  private static func outcomes(_ result: CutoverResult) -> JSONValue {
    guard case .done(let outcomes) = result else { return .array([]) }
    return .array(
      outcomes.map {
        [
          "step": .string($0.step.id), "state": .string($0.ending.rawValue),
          "attempts": .integer(Int64($0.attempts)), "lock_wait_ms": .integer(Int64($0.lockWait)),
          "ms": .integer(Int64($0.took)),
        ]
      })
  }
}
