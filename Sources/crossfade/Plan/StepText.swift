import Migration
import Operations

/// One step of a plan.
struct StepText {
  private let entry: Plan.Entry
  private let number: Int
  private let slotPath: String
  private let page: Page
  private let isFull: Bool

  init(_ entry: Plan.Entry, number: Int, slotPath: String, page: Page, isFull: Bool) {
    self.entry = entry
    self.number = number
    self.slotPath = slotPath
    self.page = page
    self.isFull = isFull
  }

  /// More than these lines of SQL are shown by their first lines alone, unless asked for.
  private static let linesShown = 15

  private var step: Step { entry.step }

  var lines: [String] {
    let title = "\(number < 10 ? " " : "")\(number)  \(step.id): \(step.title)"
    guard !entry.isDone || isFull else {
      return page.wrap("\(title) - done", indent: 0, hanging: 4).map(page.faint)
    }
    return page.wrap(title + (entry.isDone ? " - done" : ""), indent: 0, hanging: 4) + statements + locks
      + cost
      + hazards + wayBack
  }

  private var statements: [String] {
    if case .work(let command) = step.manner { return ["      \(command) \(slotPath)"] }
    let all = step.statements.map { $0.split(separator: "\n", omittingEmptySubsequences: false) }
    let count = all.reduce(0) { $0 + $1.count }
    if isFull || count <= Self.linesShown {
      return all.flatMap { lines in
        lines.enumerated().map { "      \($1)\($0 == lines.count - 1 ? ";" : "")" }
      }
    }
    let heads = all.compactMap(\.first).filter { !$0.hasPrefix("COMMENT ON ") }.map { "      \($0) ..." }
    return heads + ["      (\(count) lines in all; --full shows them)"]
  }

  private var locks: [String] {
    var limits: [String] = []
    switch step.manner {
    case .transaction: limits.append("in a transaction of its own")
    case .alone: limits.append("outside of a transaction")
    case .work: break
    }
    if limits.isEmpty == false {
      limits.append(
        step.lockTimeout.map {
          "lock_timeout \(Self.milliseconds($0.lowerBound)) to \(Self.milliseconds($0.upperBound))"
        }
          ?? "no lock_timeout")
      limits.append(
        step.statementTimeout == 0
          ? "no statement_timeout" : "statement_timeout \(Self.milliseconds(step.statementTimeout))")
    }
    let held = step.locks.map { "\(Self.together($0.mode.rawValue)) on \(Self.plain($0.table))" }
    return (held.isEmpty ? [] : note("locks", "\(held.joined(separator: ", ")); \(step.hold)"))
      + (limits.isEmpty ? [] : note("runs", limits.joined(separator: ", ")))
  }

  private var cost: [String] {
    let estimate = entry.estimate
    return [
      estimate.seconds.map { "\(Self.duration($0.amount)): \($0.evidence)" },
      estimate.wal.map { "\(Self.bytes($0.amount)) of WAL: \($0.evidence)" },
      estimate.disk.map { "\(Self.bytes($0.amount)) of disk: \($0.evidence)" },
    ].compactMap { $0 }.enumerated().flatMap { index, text in note(index == 0 ? "cost" : "", text) }
  }

  private var hazards: [String] {
    step.hazards.isEmpty ? [] : note("hazard", step.hazards.sorted().map(\.rawValue).joined(separator: ", "))
  }

  private var wayBack: [String] {
    let statements = step.wayBack.flatMap { statement -> [String] in
      let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
      let shown = isFull || lines.count <= Self.linesShown ? lines.map(String.init) : ["\(lines[0]) ..."]
      return shown.enumerated().map { $1 + ($0 == shown.count - 1 ? ";" : "") }
    }
    let lines = statements.enumerated().map { ($0 == 0 ? Self.label("back") : Self.label("")) + $1 }
    return lines + (step.wayBackNote.map { note(lines.isEmpty ? "back" : "", $0) } ?? [])
  }

  private func note(_ label: String, _ text: String) -> [String] {
    page.wrap(Self.label(label) + text, indent: 0, hanging: 14)
  }

  private static func label(_ text: String) -> String {
    "      " + text + String(repeating: " ", count: max(1, 8 - text.count))
  }

  private static func milliseconds(_ count: Int) -> String {
    together(count % 1_000 == 0 ? "\(count / 1_000) s" : "\(count) ms")
  }

  private static func together(_ words: String) -> String { words.replacing(" ", with: Page.joint) }

  /// A name without the double quotes that it does not need to be read.
  private static func plain(_ name: String) -> String {
    name.replacing(/"([a-z_][a-z0-9_$]*)"/) { String($0.1) }
  }

  /// `less than a second`, `12 s`, `3m 20s`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 1 else { return "less than a second" }
    return HumanFormat.wholeSeconds(.seconds(min(seconds.rounded(), 1e12)))
  }

  static func bytes(_ amount: Double) -> String {
    HumanFormat.bytes(UInt64(min(max(0, amount.rounded()), 1e18)))
  }
}
