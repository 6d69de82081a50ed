import Derivation
import Foundation
import Migration
import Operations
import Postgres

/// A plan for people, at the width of their terminal. Statements are never broken, so that they can be copied.
struct PlanText {
  private let plan: Plan
  private let report: PlanReport
  private let isFull: Bool
  private let page: Page

  init(_ report: PlanReport, terminal: Terminal, isFull: Bool) {
    plan = report.plan
    self.report = report
    self.isFull = isFull
    page = Page(terminal)
  }

  var text: String {
    (heading + [""] + findings + steps + [""] + hazards + [""] + conclusion).joined(separator: "\n")
  }

  private var heading: [String] {
    let derive = plan.definition.derive
    return [
      page.strong("\(derive.table).\(derive.from) -> \(derive.to)"),
      "slot \(plan.definition.slot), PostgreSQL \(plan.server), plan \(plan.hash.short)",
    ] + plan.sizes.flatMap { page.wrap($0, indent: 0, hanging: 2) }
  }

  private var findings: [String] {
    func count(_ level: Finding.Level) -> Int { plan.findings.count { $0.level == level } }
    var lines = [
      page.strong("Findings")
        + ": \(count(.pass)) passed, \(count(.warn)) to know, \(count(.fail)) to mend first"
    ]
    for finding in plan.findings where isFull || finding.level != .pass {
      let head = "\(finding.level.rawValue)  \(finding.subject): "
      lines += page.wrap(head + finding.found, indent: 2, hanging: 8).enumerated().map { index, line in
        index == 0
          ? line.replacingOccurrences(
            of: "  \(finding.level.rawValue)  ", with: "  \(page.mark(finding.level))  ") : line
      }
      guard let fix = finding.fix, !fix.isEmpty else { continue }
      // What is to be run stays whole, for copying.
      lines +=
        fix.contains(";") || fix.contains("--")
        ? ["        fix: \(fix)"] : page.wrap("fix: \(fix)", indent: 8, hanging: 8)
    }
    return lines
  }

  private var steps: [String] {
    var lines: [String] = []
    var phase: Phase?
    for (index, entry) in plan.entries.enumerated() {
      if entry.step.phase != phase {
        phase = entry.step.phase
        lines += ["", page.strong(Self.title(entry.step.phase))]
      }
      lines += StepText(entry, number: index + 1, slotPath: report.slotPath, page: page, isFull: isFull).lines
    }
    return lines
  }

  private static func title(_ phase: Phase) -> String {
    switch phase {
    case .planned: "Plan"
    case .expanded: "Expand"
    case .capturing: "Capture"
    case .backfilled: "Backfill"
    case .verified: "Verify"
    case .cutOver: "Cut over"
    case .contracted: "Contract"
    }
  }

  private var hazards: [String] {
    guard !plan.hazards.isEmpty else { return [page.strong("Hazards") + ": none"] }
    let open = plan.unaccepted
    var lines = [
      page.strong("Hazards")
        + (open.isEmpty
          ? ": all accepted" : ": \(open.count) to accept, by migrate.accept in the definition or --accept")
    ]
    for (hazard, steps) in plan.hazards {
      let state = plan.accepted.contains(hazard) ? "accepted" : "open"
      lines += page.wrap("\(hazard.rawValue), \(state): \(hazard.meaning)", indent: 2, hanging: 4)
      lines += page.wrap(steps.joined(separator: ", "), indent: 4, hanging: 4)
    }
    return lines
  }

  private var conclusion: [String] {
    var lines: [String] = []
    let total = plan.total
    let costs = [
      total.seconds.map { "\(StepText.duration($0.amount)) of work" },
      total.wal.map { "\(StepText.bytes($0.amount)) of WAL" },
      total.disk.map { "up to \(StepText.bytes($0.amount)) more on disk" },
    ].compactMap { $0 }
    if !costs.isEmpty {
      lines += page.wrap("Cost, by estimate: \(costs.joined(separator: ", "))", indent: 0, hanging: 2)
    }
    if !report.written.isEmpty {
      lines.append(
        page.strong("Written") + ": \(report.written.count) files; begin with \(report.written[0])")
    }
    lines += [page.strong("Plan") + ": \(plan.hash)", next]
    return lines
  }

  private var next: String {
    let failed = plan.findings.count { $0.level == .fail }
    let missing = [
      failed > 0 ? "\(failed) to mend" : nil,
      plan.unaccepted.isEmpty ? nil : "\(plan.unaccepted.count) hazards to accept",
    ].compactMap { $0 }
    guard missing.isEmpty else { return page.strong("Not ready") + ": \(missing.joined(separator: ", "))" }
    guard let first = plan.pending.first?.step else { return page.strong("Done") + ": nothing is left to do" }
    if case .work(let command) = first.manner {
      return page.strong("Next") + ": \(command) \(report.slotPath)"
    }
    return page.strong("Next") + ": crossfade expand \(report.slotPath) --plan \(plan.hash.short)"
  }
}
