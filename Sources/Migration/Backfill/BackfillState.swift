/// What a backfill does now. Written to `crossfade.backfill` when it changes.
public enum BackfillState: Sendable, Equatable {
  /// It has not yet heard of the signals.
  case starting
  /// Batch after batch; slowed down where there is a reason.
  case working(slowedBy: String?)
  /// A signal holds it.
  case held(by: String)
  /// An operator has paused it; it stays so when it is started again.
  case paused(by: String)
  /// No window is open.
  case shut(until: String)
  /// Rows that others hold are all that is left.
  case waiting(String)
  /// The session is lost; it is tried again.
  case reconnecting(String)
  /// All is done.
  case done

  /// A word.
  public var name: String {
    switch self {
    case .starting: "starting"
    case .working: "working"
    case .held: "held"
    case .paused: "paused"
    case .shut: "shut"
    case .waiting: "waiting"
    case .reconnecting: "reconnecting"
    case .done: "done"
    }
  }

  /// Why, in words.
  public var reason: String? {
    switch self {
    case .starting, .done: nil
    case .working(let by): by
    case .held(let by), .paused(let by), .shut(let by), .waiting(let by), .reconnecting(let by): by
    }
  }

  /// Which clock runs meanwhile.
  var clock: BackfillClocks.Kind {
    switch self {
    case .working, .done: .active
    case .starting, .held, .reconnecting, .waiting: .throttled
    case .paused: .paused
    case .shut: .shut
    }
  }
}

/// What a backfill shows of itself.
public struct BackfillStatus: Sendable, Equatable {
  /// How far it is.
  public var progress: BackfillProgress
  /// What it does.
  public var state: BackfillState
  /// Milliseconds that it has been so.
  public var since: Double
  /// Rows of a batch.
  public var batch: Int
  /// The share of the time that it works.
  public var duty: Double
  /// What an operator wants.
  public var control: ControlState
  /// Rows a second of work; nil before anything was measured.
  public var rate: Double?
  /// The share of the allowed time that it has worked of late; nil before anything was measured.
  public var workedShare: Double?
  /// The time that is left; nil while there is nothing to tell it by.
  public var remaining: Forecast.Range?
  /// How far the expected end has moved.
  public var drift: Drift?
  /// The signals.
  public var signals: [SignalView]
  /// Where the time went.
  public var clocks: BackfillClocks
}
