import Derivation
import PGOutput

/// Decides what a backfill does next: works, rests or waits, and says why. Holds no session and no clock; times are told to it,
/// in milliseconds.
struct Conductor {
  /// What to do.
  enum Action: Equatable {
    /// A batch of so many rows.
    case work(rows: Int)
    /// Nothing, for a moment; then ask again.
    case hold
  }

  private let settings: SlotDefinition.Backfill
  private(set) var batch: BatchController
  private(set) var pace = PaceController()
  private(set) var clocks: BackfillClocks
  private(set) var forecast = Forecast()
  private(set) var drift = DriftHistory()
  private(set) var state = BackfillState.starting
  private(set) var since: Double
  private(set) var control = ControlState()
  private var verdict = SignalBoard.Verdict(load: 0, worst: nil, all: [])
  private var walPerRow = 0.0
  private var looks = 0
  private var told: Double

  init(_ settings: SlotDefinition.Backfill, clocks: BackfillClocks, now: Double) {
    self.settings = settings
    self.clocks = clocks
    since = now
    told = now
    batch = BatchController(
      .init(
        milliseconds: Double(settings.target.count), walBytes: Double(settings.wal.bytes),
        ceiling: settings.batch))
  }

  /// The share of the time that it works, by signals and operator together.
  var duty: Double { min(pace.duty, control.pace) }

  /// What to do, as signals and wishes stand.
  mutating func decide(_ view: BackfillWatch.View, now: Double) -> Action {
    control = view.control
    verdict = view.verdict
    // A limit that an operator sets may be above the definition's: it was asked for by name. Where only a share of the time is to be
    // worked, the pieces are as much shorter: what else the server does waits behind a piece, not behind the mean.
    batch.limit(to: control.batch ?? max(min(BatchController.floor, settings.batch), paced))
    // Nothing is worked before the first look at the signals; nor is that a reason to go on slowly then.
    if view.looks == 0, verdict.load == nil, !control.isPaused {
      enter(view.trouble.map { .held(by: "the signals are not known: \($0)") } ?? .starting, now: now)
      return .hold
    }
    if view.looks != looks || (view.looks > 0 && verdict.load == nil)
      || (verdict.load ?? 0) >= PaceController.stop
    {
      looks = view.looks
      pace.sample(load: verdict.load)
    }
    let next = next(view)
    enter(next, now: now)
    guard case .working = next else { return .hold }
    return .work(rows: batch.rows)
  }

  /// Bytes of WAL that the next batch will write, as the last one did.
  var nextWAL: Double { walPerRow * Double(batch.rows) }

  private var paced: Int { Int((Double(settings.batch) * min(1, max(0, control.pace))).rounded()) }

  private func next(_ view: BackfillWatch.View) -> BackfillState {
    if control.isPaused {
      let by = control.by ?? "an operator"
      return .paused(by: "by \(by)" + (control.at.map { ", \($0)" } ?? ""))
    }
    if let shut = Self.shut(settings.windows, view) { return shut }
    if pace.isHeld {
      let why = verdict.worst.map(\.text) ?? "signals have just let go"
      return .held(by: view.trouble.map { "\(why): \($0)" } ?? why)
    }
    guard duty < 1 else { return .working(slowedBy: nil) }
    if control.pace <= pace.duty { return .working(slowedBy: "pace \(control.pace) was asked for") }
    guard let worst = verdict.worst, let load = worst.load, load >= PaceController.grow else {
      return .working(slowedBy: "a signal has let go; it works more again step by step")
    }
    return .working(slowedBy: worst.text)
  }

  /// When no window is open; nil when one is, or there are none.
  static func shut(_ windows: [MaintenanceWindow], _ view: BackfillWatch.View) -> BackfillState? {
    guard !windows.isEmpty else { return nil }
    var opens: [String] = []
    for window in windows {
      guard let moment = view.moments[window.zone] else { continue }
      if window.isOpen(day: moment.day, minute: moment.minute) { return nil }
      if let day = window.opens(afterDay: moment.day, minute: moment.minute) {
        let name = MaintenanceWindow.dayNames[(day - 1) % 7]
        opens.append("\(name) \(MaintenanceWindow.clock(window.begins)) \(window.zone)")
      }
    }
    if view.moments.isEmpty { return .starting }
    return .shut(until: "until \(opens.joined(separator: " or "))")
  }

  /// Another state, for a reason of the session's.
  mutating func enter(_ next: BackfillState, now: Double) {
    if next.name != state.name { since = now }
    state = next
  }

  /// A page was done.
  mutating func worked(_ page: BackfillSession.Page) {
    clocks.add(page.milliseconds, .active)
    if page.rows > 0, page.walBytes.isFinite { walPerRow = max(0, page.walBytes / Double(page.rows)) }
    batch.record(rows: page.rows, milliseconds: page.milliseconds, walBytes: page.walBytes)
  }

  mutating func timedOut() { batch.timedOut() }

  /// How long to rest after a page, in milliseconds: the longer of what the definition says and what the pace asks for.
  func rest(after page: BackfillSession.Page) -> Double {
    max(Double(settings.pause.count), PaceController.rest(after: page.milliseconds, duty: duty))
  }

  /// Time went by without work.
  mutating func waited(_ milliseconds: Double, resting: Bool = false) {
    clocks.add(milliseconds, resting ? .throttled : state.clock)
  }

  /// How it stands.
  mutating func status(_ progress: BackfillProgress, now: Double) -> BackfillStatus {
    // Twice a second is often enough for figures that are smoothed over minutes.
    if now - told >= 500 || progress.finished {
      told = now
      forecast.record(rows: progress.rows, clocks: clocks)
    }
    var progress = progress
    progress.clocks = clocks
    let left = progress.finished ? 0 : progress.expected - progress.rows
    let remaining = left > 0 || progress.finished ? forecast.remaining(rows: max(0, left)) : nil
    var moved: Drift?
    if let remaining, let rate = forecast.rowsPerActiveSecond {
      let mark = Drift.Mark(at: now, end: now + remaining.median, clocks: clocks, rate: rate)
      drift.record(mark)
      moved = drift.recent(mark)
    }
    return BackfillStatus(
      progress: progress, state: progress.finished ? .done : state, since: now - since, batch: batch.rows,
      duty: duty, control: control, rate: forecast.rowsPerActiveSecond, workedShare: forecast.workedShare,
      remaining: remaining, drift: moved,
      signals: verdict.all, clocks: clocks)
  }
}
