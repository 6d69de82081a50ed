import Migration
import Operations

/// What became of the rows, as text and as JSON.
struct BackfillReport {
  let progress: BackfillProgress

  init(_ progress: BackfillProgress) { self.progress = progress }

  /// `19,998 rows looked at, 19,990 written, 8 in quarantine (the map does not know their status)`.
  var text: String {
    let account = progress.account
    let parts = [
      (account.right, "right already"),
      (account.unmapped, "in quarantine (the map does not know their status)"),
      (account.refused, "in quarantine (the server refuses to write them)"),
      (account.skipped, "held by others, looked at again"),
      (account.overtaken, "changed meanwhile, the stream's"),
    ]
    let shown = parts.filter { $0.0 != 0 }.map { "\(HumanFormat.count($0.0)) \($0.1)" }
    return
      ([
        "\(HumanFormat.count(account.looked)) rows looked at",
        "\(HumanFormat.count(account.written)) written",
      ] + shown).joined(separator: ", ")
  }

  var json: JSONValue {
    let account = progress.account
    let clocks = progress.clocks
    return [
      "rows": .integer(account.looked), "written": .integer(account.written),
      "expected": .integer(progress.expected), "finished": .bool(progress.finished),
      "right": .integer(account.right), "unmapped": .integer(account.unmapped),
      "refused": .integer(account.refused), "skipped": .integer(account.skipped),
      "overtaken": .integer(account.overtaken),
      "seconds": [
        "active": .number(clocks.active / 1000), "throttled": .number(clocks.throttled / 1000),
        "paused": .number(clocks.paused / 1000), "outside_window": .number(clocks.shut / 1000),
      ],
    ]
  }

  /// The same, with what a backfill that is not done last said of itself.
  var standing: JSONValue {
    guard case .object(var fields) = json else { return json }
    let note = progress.note
    func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
    fields += [
      ("state", .string(progress.finished ? "done" : progress.runner == nil ? "not running" : note.state)),
      ("reason", note.reason.map { .string($0) } ?? .null), ("state_seconds", .number(note.seconds)),
      ("server_process", progress.runner.map { .integer($0) } ?? .null),
      ("batch", note.batch.map { .integer($0) } ?? .null), ("pace", number(note.pace)),
      ("rows_per_active_second", number(note.rate)),
      (
        "eta_seconds",
        ["p50": number(note.eta.map { $0 / 1000 }), "p90": number(note.etaLate.map { $0 / 1000 })]
      ),
      ("drift", note.drift.map { .string($0) } ?? .null),
    ]
    return .object(fields)
  }

  /// How one that is not done stands, in words.
  var standingText: String {
    guard !progress.finished else { return "done: \(text)" }
    let note = progress.note
    let share =
      progress.expected > 0
      ? ", about \(HumanFormat.percentage(UInt64(clamping: progress.rows), of: UInt64(clamping: progress.expected)))"
      : ""
    guard progress.runner != nil else {
      return "not running: \(text)\(share); `crossfade backfill` goes on with it"
    }
    var lines =
      "\(note.state)\(note.reason.map { " (\($0))" } ?? "") for \(Self.time(note.seconds)): \(text)\(share)"
    if note.state == "working", let eta = note.eta, let late = note.etaLate {
      lines += "; \(Self.time(eta / 1000)) left, \(Self.time(late / 1000)) if it goes slowly"
    }
    return lines + (note.drift.map { "; \($0)" } ?? "")
  }

  private static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "-" }
    return HumanFormat.wholeSeconds(.milliseconds(Int64(seconds * 1000)))
  }
}
