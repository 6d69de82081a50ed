/// Which share of the time the backfill works: the outer of two controllers.
///
/// It is told the worst of the signals, 1 being its limit, once a sample. At the limit it stops, and goes on only when there
/// is some room again; near it it works less, far from it more, by small steps up and large ones down.
public struct PaceController: Sendable, Equatable {
  /// The share of the time that is worked, above 0 and up to 1; nothing while it is held.
  public private(set) var duty = 1.0
  /// Whether a signal has reached its limit and is not yet far enough below.
  public private(set) var isHeld = false

  /// It never works less than this while it is not held.
  public static let floor = 0.05
  /// At this load it stops.
  public static let stop = 1.0
  /// Below this it goes on after it has stopped.
  public static let resume = 0.8
  /// From here on it works less.
  static let shed = 0.75
  /// Below this it works more.
  static let grow = 0.5

  /// Samples between two steps of one kind: what a step did shows only after a while, and until then it is not taken again.
  static let cooldown = 6

  private var sinceStep = cooldown

  /// At full speed.
  public init() {}

  /// A new sample's load: the worst signal's value as a part of its limit; nil where nothing is known and that stops.
  public mutating func sample(load: Double?) {
    guard let load, !load.isNaN else {
      isHeld = true
      return
    }
    if isHeld {
      guard load < Self.resume else { return }
      isHeld = false
      // What brought it to the limit was too fast.
      step(to: duty / 2)
      return
    }
    sinceStep = min(Self.cooldown, sinceStep + 1)
    if load >= Self.stop {
      isHeld = true
    } else if sinceStep >= Self.cooldown, load >= Self.shed {
      step(to: duty * 0.7)
    } else if sinceStep >= Self.cooldown, load < Self.grow, duty < 1 {
      step(to: duty + 0.1)
    }
  }

  private mutating func step(to next: Double) {
    duty = min(1, max(Self.floor, next))
    sinceStep = 0
  }

  /// How long to rest after so much work, both in milliseconds, with an operator's own share besides.
  public static func rest(after worked: Double, duty: Double) -> Double {
    guard duty < 1, worked > 0 else { return 0 }
    // A batch that took long must not be followed by a rest without end.
    return min(worked * (1 / max(duty, floor / 10) - 1), 60_000)
  }
}
