import Derivation
import Migration
import Operations
import Postgres

/// A plan as it is shown.
struct PlanReport {
  let plan: Plan
  /// The slot definition's path, for the commands that are offered.
  let slotPath: String
  /// The files that were emitted.
  var written: [String] = []

  var json: JSONValue {
    let derive = plan.definition.derive
    return [
      "slot": .string(plan.definition.slot), "plan": .string(plan.hash.description),
      "server": .string(plan.server.description), "ready": .bool(plan.isReady),
      "table": .string(derive.table.description), "from": .string(derive.from.description),
      "to": .string(derive.to.description),
      "findings": .array(plan.findings.map(Self.json)), "sizes": .array(plan.sizes.map { .string($0) }),
      "steps": .array(plan.entries.enumerated().map { Self.json($1, number: $0 + 1) }),
      "total": Self.json(plan.total),
      "hazards": .array(
        plan.hazards.map { hazard, steps in
          [
            "hazard": .string(hazard.rawValue), "accepted": .bool(plan.accepted.contains(hazard)),
            "meaning": .string(hazard.meaning), "steps": .array(steps.map { .string($0) }),
          ]
        }), "written": .array(written.map { .string($0) }),
    ]
  }

  private static func json(_ finding: Finding) -> JSONValue {
    [
      "level": .string(finding.level.rawValue), "subject": .string(finding.subject),
      "found": .string(finding.found), "fix": finding.fix.map { .string($0) } ?? .null,
    ]
  }

  private static func json(_ entry: Plan.Entry, number: Int) -> JSONValue {
    let step = entry.step
    var command: JSONValue = .null
    var manner = "transaction"
    if case .work(let name) = step.manner {
      manner = "work"
      command = .string(name)
    }
    if step.manner == .alone { manner = "alone" }
    return [
      "number": .integer(Int64(number)), "id": .string(step.id), "phase": .string(step.phase.rawValue),
      "title": .string(step.title), "done": .bool(entry.isDone), "manner": .string(manner),
      "command": command,
      "statements": .array(step.statements.map { .string($0) }), "locks": .array(step.locks.map(json)),
      "lock_timeout_ms": step.lockTimeout.map {
        ["first": .integer(Int64($0.lowerBound)), "last": .integer(Int64($0.upperBound))]
      } ?? .null, "statement_timeout_ms": .integer(Int64(step.statementTimeout)), "hold": .string(step.hold),
      "hazards": .array(step.hazards.sorted().map { .string($0.rawValue) }),
      "way_back": [
        "statements": .array(step.wayBack.map { .string($0) }), "alone": .bool(step.wayBackAlone),
        "locks": .array(step.wayBackLocks.map(json)), "note": step.wayBackNote.map { .string($0) } ?? .null,
      ], "estimate": json(entry.estimate),
    ]
  }

  private static func json(_ lock: Step.Lock) -> JSONValue {
    ["table": .string(lock.table), "mode": .string(lock.mode.rawValue)]
  }

  private static func json(_ estimate: Estimate) -> JSONValue {
    func json(_ figure: Figure?) -> JSONValue {
      guard let figure else { return .null }
      return ["amount": .number(figure.amount.rounded()), "evidence": .string(figure.evidence)]
    }
    return [
      "rows": json(estimate.rows), "seconds": json(estimate.seconds), "wal_bytes": json(estimate.wal),
      "disk_bytes": json(estimate.disk),
    ]
  }
}
