import Migration
import Operations

/// What a contract would do, or did.
struct ContractReport {
  private let plan: ContractPlan

  init(_ plan: ContractPlan) { self.plan = plan }

  /// What would be done, before it is.
  var text: String {
    var lines = ["nothing stands in the way; to be done:"]
    lines += plan.steps.enumerated().map { "  \($0 + 1)  \($1.title)\(Self.lock($1))" }
    lines += plan.readiness.perhaps.map { "look at: \($0): its text holds the name of the old column" }
    if plan.goal == .dropped {
      lines += plan.keeps.map { "keeps: \($0)" } + plan.loses.map { "loses: \($0)" }
    } else {
      lines += plan.readiness.vanishing.map { "goes with the column, when it is dropped: \($0)" }
      lines.append("loses: nothing; `crossfade rollback` brings the old column back")
    }
    return lines.joined(separator: "\n")
  }

  /// Why not.
  var refusal: String {
    let obstacles = plan.obstacles
    let what = plan.goal == .dropped ? "the old column is not dropped" : "the old column is not retired"
    let count = obstacles.count == 1 ? "1 thing is" : "\(obstacles.count) things are"
    return (["\(what): \(count) in the way"] + obstacles.flatMap(GateLines.of)).joined(
      separator: "\n")
  }

  /// When all was done before.
  var nothing: String { "nothing to do: \(plan.readiness.sentence)" }

  func next(_ path: String) -> String {
    switch plan.goal {
    case .dropped:
      (["dropped; the migration is at its end"] + plan.keeps.map { "keeps: \($0)" }).joined(separator: "\n")
    case .rest: "at rest: let the other tool rename the column now, then run: crossfade contract \(path)"
    case .retired:
      "retired as \(plan.retired); it can be dropped after the grace time: crossfade contract \(path) --drop"
    }
  }

  func json(_ outcomes: [StepOutcome]?, isDry: Bool) -> JSONValue {
    [
      "slot": .string(plan.slot), "done": .bool(outcomes != nil), "dry_run": .bool(isDry),
      "allowed": .bool(plan.isAllowed), "column": .string(plan.readiness.column.rawValue),
      "in_the_way": .array(plan.obstacles.map(GateLines.json)),
      "steps": .array(
        plan.steps.map { step in
          [
            "step": .string(step.id), "title": .string(step.title),
            "statements": .array(step.statements.map { .string($0) }),
          ]
        }),
      "keeps": .array(plan.keeps.map { .string($0) }),
      "loses": .array(plan.loses.map { .string($0) }), "confirmation": .string(plan.confirmation),
      "outcomes": outcomes.map { outcomes in
        .array(
          outcomes.map {
            [
              "step": .string($0.step.id), "state": .string($0.ending.rawValue),
              "attempts": .integer(Int64($0.attempts)), "lock_wait_ms": .integer(Int64($0.lockWait)),
              "ms": .integer(Int64($0.took)),
            ]
          })
      } ?? .null,
    ]
  }

  private static func lock(_ step: Step) -> String {
    guard let strongest = step.locks.map(\.mode).max() else { return "" }
    return " (\(strongest.rawValue), \(step.hold))"
  }
}

/// Gates as lines and as JSON.
enum GateLines {
  static func of(_ gate: ReadinessGate) -> [String] {
    let mark = gate.holds ? "  ok    " : "  wait  "
    return ["\(mark)\(gate.name.rawValue): \(gate.found)"] + (gate.hint.map { ["        -> \($0)"] } ?? [])
  }

  static func json(_ gate: ReadinessGate) -> JSONValue {
    [
      "gate": .string(gate.name.rawValue), "holds": .bool(gate.holds), "found": .string(gate.found),
      "hint": gate.hint.map { .string($0) } ?? .null,
    ]
  }
}
