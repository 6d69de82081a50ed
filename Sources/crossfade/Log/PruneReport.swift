import ChangeLog
import Operations
import PGOutput

/// What retention drops, for people and programs.
struct PruneReport {
  let plan: RetentionPlan
  let readers: [LogReaders.Entry]
  let isDone: Bool
  var now = UTCInstant.now().seconds

  var text: String {
    var lines: [String] = []
    if plan.drops.isEmpty {
      lines.append("nothing \(isDone ? "was dropped" : "would be dropped")")
    } else {
      lines += [summary, "", segments, "", whom]
    }
    if let held = plan.held {
      lines.append("\(Self.name(held.start)) stays: \(held.hold)")
    }
    if !isDone, !plan.drops.isEmpty { lines.append("to drop them: the same with --yes") }
    return lines.joined(separator: "\n")
  }

  private var summary: String {
    let count = plan.drops.count
    let what =
      "\(HumanFormat.count(count)) \(count == 1 ? "segment" : "segments"), \(HumanFormat.bytes(plan.bytes))"
    let first = plan.firstAfter.map { ": the log \(isDone ? "begins" : "would begin") at \($0)" } ?? ""
    return "\(isDone ? "dropped" : "would drop") \(what)\(first)"
  }

  private var segments: String {
    var table = Table([
      .text("segment"), .number("after"), .number("up to"), .number("size"), .number("sealed"), .text("why"),
      .text("archived"),
    ])
    for drop in plan.drops {
      let segment = drop.segment
      table.append([
        Self.name(segment.start), "\(segment.start)", "\(segment.watermark)",
        HumanFormat.bytes(segment.bytes),
        "\(StatusReport.time(Double(now - segment.writtenAt))) ago", drop.reason.rawValue,
        segment.archive.text,
      ])
    }
    return table.rendered()
  }

  private var whom: String {
    guard !readers.isEmpty else { return "no named reader; one who reads on from before that finds a gap" }
    return readers.map { entry in
      if let hurt = plan.hurts.first(where: { $0.name == entry.name }) {
        return
          "reader \(hurt.name) \(isDone ? "has lost" : "would lose") what ends after \(hurt.from) and up to "
          + "\(hurt.to); \(hurt.isArchived ? "the archive has it" : "nobody has it then")"
      }
      guard case .success(let reader) = entry.reader else { return "reader \(entry.name) cannot be read" }
      return "reader \(entry.name), at \(reader.position), loses nothing"
    }.joined(separator: "\n")
  }

  var json: JSONValue {
    [
      "done": .bool(isDone), "bytes": .unsigned(plan.bytes),
      "first_before": plan.firstBefore.map { .string("\($0)") } ?? .null,
      "first_after": plan.firstAfter.map { .string("\($0)") } ?? .null,
      "segments": .array(
        plan.drops.map { drop in
          [
            "file": .string(Self.name(drop.segment.start)), "after": .string("\(drop.segment.start)"),
            "up_to": .string("\(drop.segment.watermark)"), "bytes": .unsigned(drop.segment.bytes),
            "sealed_at": .integer(drop.segment.writtenAt), "why": .string(drop.reason.rawValue),
            "archived": .string(drop.segment.archive.text),
          ]
        }),
      "hurts": .array(
        plan.hurts.map { hurt in
          [
            "reader": .string(hurt.name), "after": .string("\(hurt.from)"), "up_to": .string("\(hurt.to)"),
            "archived": .bool(hurt.isArchived),
          ]
        }),
      "held": plan.held.map { held in
        ["file": .string(Self.name(held.start)), "by": .string("\(held.hold)")]
      } ?? .null,
    ]
  }

  static func name(_ start: LSN) -> String { LogSegment.fileName(start) }
}

extension RetentionRules.Archiving {
  var text: String {
    switch self {
    case .none: "no"
    case .trusted: "yes"
    case .verified: "verified"
    }
  }
}
