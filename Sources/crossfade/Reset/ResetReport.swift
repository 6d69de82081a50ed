import Migration
import Operations
import PGOutput

/// What a reset does or did, as text and as JSON.
struct ResetReport: Sendable {
  let plan: ResetPlan
  /// The log's new directory.
  let renamed: String?
  let isDone: Bool

  var text: String {
    guard !plan.isEmpty else {
      return "nothing to reset: slot \(plan.slot) has no log, no checkpoint and no backfill"
    }
    var lines = [isDone ? "done:" : "would do, with --accept-gap:"]
    lines += plan.steps.map { "  \($0)" }
    if let renamed { lines.append("the log stands in \(renamed) now: lz4 -dc SEGMENT | crossfade decode -") }
    lines.append(plan.gap)
    lines.append("next:")
    lines += plan.next.map { "  \($0)" }
    return lines.joined(separator: "\n")
  }

  var json: JSONValue {
    [
      "slot": .string(plan.slot), "done": .bool(isDone), "steps": .array(plan.steps.map { .string($0) }),
      "gap": .string(plan.gap), "checkpoint": plan.checkpoint.map { .string("\($0)") } ?? .null,
      "log_end": plan.log?.end.map { .string("\($0)") } ?? .null,
      "log_now": renamed.map { .string($0) } ?? .null,
    ]
  }
}
