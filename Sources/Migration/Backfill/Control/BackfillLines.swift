import Derivation

/// How a backfill stands, in lines for people.
public struct BackfillLines: Sendable {
  let status: BackfillStatus
  /// Milliseconds that the batch under way takes already.
  let batch: Double?

  /// Lines for a standing.
  public init(status: BackfillStatus, batch: Double? = nil) {
    self.status = status
    self.batch = batch
  }

  /// What it does and why, then every signal.
  public var why: [String] {
    var lines = ["\(status.state.name)\(reason), for \(Self.time(status.since))"]
    if let settings = status.control.settings {
      lines.append("asked for: \(settings)" + (status.control.by.map { ", by \($0)" } ?? ""))
    }
    if status.signals.isEmpty { lines.append("no signal is on") }
    lines += status.signals.map { "\(Self.mark($0.standing))  \($0.text)" }
    return lines
  }

  /// How far it is, where its time went, and what it expects.
  public var standing: [String] { status.isDone ? finished : underWay }

  private var reason: String { status.state.reason.map { ": \($0)" } ?? "" }

  private var underWay: [String] {
    var lines = ["\(status.state.name)\(reason), for \(Self.time(status.since))"]
    lines.append("rows    \(rows)")
    lines.append("time    \(times)")
    lines.append("pace    \(pace)")
    if let batch { lines.append("batch   under way for \(Self.time(batch))") }
    lines.append("left    \(left)")
    return lines
  }

  private var finished: [String] { ["done", "rows    \(rows)", "time    \(times)"] }

  private var rows: String {
    "\(status.progress.account)"
      + (status.progress.finished ? "" : "; about \(status.progress.expected) expected")
  }

  private var times: String {
    let clocks = status.clocks
    let parts = [
      (clocks.throttled, "slowed down or held"), (clocks.paused, "paused"),
      (clocks.shut, "outside its window"),
    ]
    return
      (["\(Self.time(clocks.active)) at work"]
      + parts.filter { $0.0 >= 500 }.map { "\(Self.time($0.0)) \($0.1)" })
      .joined(separator: ", ")
  }

  private var pace: String {
    let share = Int((status.duty * 100).rounded())
    return "\(status.batch) rows a batch, \(share)% of the time"
      + (status.rate.map { ", \(Int($0)) rows/s at work" } ?? "")
  }

  /// The time that is left, as a range; a word and a reason where it cannot be told.
  public var left: String {
    guard status.progress.account.looked > 0 else { return "measuring: no row is done yet" }
    guard let remaining = status.remaining else {
      return status.rate == nil
        ? "measuring: nothing was timed yet" : "not known: there are more rows than were estimated"
    }
    var text = "\(Self.time(remaining.median)), or \(Self.time(remaining.late)) if it goes slowly"
    if let drift = status.drift, let cause = drift.cause {
      let direction = drift.moved > 0 ? "later" : "sooner"
      text += "; \(Self.time(abs(drift.moved))) \(direction) than \(Self.time(drift.since)) ago: \(cause)"
    }
    return text
  }

  private static func mark(_ standing: SignalView.Standing) -> String {
    switch standing {
    case .free: "free   "
    case .holds: "holds  "
    case .unknown: "UNKNOWN"
    case .ignored: "ignored"
    case .absent: "-      "
    }
  }

  static func time(_ milliseconds: Double) -> String { SignalView.text(milliseconds, .duration) }
}

extension BackfillStatus {
  /// Whether all is done.
  public var isDone: Bool { progress.finished }
}
