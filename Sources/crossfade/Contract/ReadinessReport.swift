import Migration
import Operations

/// Readiness as people and programs read it.
struct ReadinessReport {
  private let readiness: Readiness

  init(_ readiness: Readiness) { self.readiness = readiness }

  var text: String {
    var lines = [readiness.sentence]
    if readiness.column == .stands { lines += readiness.gates.flatMap(GateLines.of) }
    lines += writes + writers
    lines += readiness.perhaps.map { "look at \($0): its text holds the name of \(readiness.from)" }
    lines += readiness.vanishing.map { "goes with \(readiness.from) when that is dropped: \($0)" }
    return lines.joined(separator: "\n")
  }

  /// What the application's changes were, by kind.
  private var writes: [String] {
    guard !readiness.account.lines.isEmpty else { return ["changes: none counted yet"] }
    return ["changes, by the column that was written:"]
      + LegacyAccount.Kind.allCases.compactMap { kind in
        let (today, week) = (
          readiness.account.count(kind) { $0.today }, readiness.account.count(kind) { $0.week }
        )
        guard readiness.account.lines.contains(where: { $0.kind == kind }) else { return nil }
        let all = LegacyAccount.Kind.allCases.reduce(0) { $0 &+ readiness.account.count($1) { $0.week } }
        return
          "  \(Self.padded(Self.name(kind), 24)) \(HumanFormat.count(today)) today, \(HumanFormat.count(week)) in 7 days ("
          + "\(HumanFormat.percentage(UInt64(max(0, week)), of: UInt64(max(0, all)))))"
      }
  }

  /// Who writes the old way, and where.
  private var writers: [String] {
    let legacy = readiness.account.lines.filter {
      $0.isLegacy(bridged: readiness.isBridged) && $0.lastAt != nil
    }
    guard !legacy.isEmpty else { return [] }
    return ["legacy writes:"]
      + legacy.sorted { ($0.lastAt ?? 0) > ($1.lastAt ?? 0) }.map { line in
        let who = line.application.isEmpty ? "(application not known)" : line.application
        let ago = QuietClock.text(readiness.now - (line.lastAt ?? readiness.now))
        let keys = line.lastKeys.prefix(10).joined(separator: "; ")
        return
          "  \(who)\(line.kind == .conflict ? ", both columns, in contradiction" : ""): \(HumanFormat.count(line.week)) in 7 days, "
          + "the last \(ago) ago, at \(line.lastPosition.map { "\($0)" } ?? "?")"
          + (keys.isEmpty ? "" : "; keys \(keys)")
      } + ["  \(readiness.attribution)"]
  }

  var json: JSONValue {
    [
      "sentence": .string(readiness.sentence), "ready": .bool(readiness.isReady),
      "column": .string(readiness.column.rawValue), "standing": .string(readiness.standing),
      "gates": .array(readiness.gates.map(GateLines.json)),
      "quiet": [
        "asked_seconds": .number(readiness.clock.asked), "seconds": Self.optional(readiness.clock.quiet),
        "missing_seconds": .number(readiness.clock.missing),
        "seen_through": Self.optional(readiness.clock.seen),
      ],
      "retired_at": Self.optional(readiness.retiredAt), "droppable_at": Self.optional(readiness.droppable),
      "writes": .array(
        readiness.account.lines.map { line in
          [
            "kind": .string(line.kind.rawValue), "application": .string(line.application),
            "today": .integer(line.today), "week": .integer(line.week), "total": .integer(line.total),
            "last_position": line.lastPosition.map { .string("\($0)") } ?? .null,
            "last_at": Self.optional(line.lastAt), "last_keys": .array(line.lastKeys.map { .string($0) }),
          ]
        }),
      "attribution": .string(readiness.attribution),
      "perhaps": .array(readiness.perhaps.map { .string($0) }),
      "vanishing": .array(readiness.vanishing.map { .string($0) }),
    ]
  }

  private static func name(_ kind: LegacyAccount.Kind) -> String {
    switch kind {
    case .old: "the old one alone"
    case .new: "the new one alone"
    case .both: "both, in agreement"
    case .other: "neither"
    case .conflict: "both, in contradiction"
    }
  }

  private static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
