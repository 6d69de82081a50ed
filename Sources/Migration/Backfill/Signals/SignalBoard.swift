import Derivation
import PGOutput

/// The latest values of the signals, and what they come to. Fails closed: what is unknown, too old or has vanished holds,
/// unless the definition says `on_unknown: ignore`. Times are told to it, in milliseconds.
struct SignalBoard: Sendable {
  /// What one look at a signal gave.
  enum Reading: Sendable, Equatable {
    /// A value, and what it is about.
    case value(Double, note: String? = nil)
    /// Nothing here that it could measure: no standby, no limit on what slots keep.
    case absent(String)
    /// It could not be told, and why.
    case unknown(String)
  }

  private struct Entry: Sendable {
    var reading: Reading
    var at: Double
    var position: LSN
  }

  /// When they are asked for.
  private struct Moment {
    var now: Double
    var position: LSN
    var next: Double
  }

  /// What all of them come to.
  struct Verdict: Sendable, Equatable {
    /// The worst signal's value as a part of its limit; nil where an unknown one holds.
    var load: Double?
    /// That signal; nil where there are none.
    var worst: SignalView?
    /// All that are on.
    var all: [SignalView]
  }

  let signals: SlotDefinition.Signals
  /// A value older than this is none.
  let maxAge: Double
  private var entries: [String: Entry] = [:]
  private var seen: Set<String> = []

  static let flagFile = "flag_file"

  init(_ signals: SlotDefinition.Signals, maxAge: Double = 10_000) {
    self.signals = signals
    self.maxAge = maxAge
  }

  /// A look at a signal, with the server's WAL position at that moment.
  mutating func record(_ name: String, _ reading: Reading, at: Double, position: LSN = .invalid) {
    var reading = reading
    switch reading {
    case .value: seen.insert(name)
    case .absent(let why) where seen.contains(name): reading = .unknown("it was there before: \(why)")
    default: break
    }
    entries[name] = Entry(reading: reading, at: at, position: position)
  }

  /// What the signals come to, at a moment and a position of the server's WAL: ours since the last look counts already.
  ///
  /// - Parameter next: bytes of WAL that the next batch will write, as far as is known: a limit that it would pass holds before.
  func verdict(now: Double, position: LSN = .invalid, next: Double = 0) -> Verdict {
    let moment = Moment(now: now, position: position, next: next)
    var views = SlotDefinition.Signal.allCases.compactMap { signal in
      signals.limits[signal].map { view(signal.rawValue, $0, signal, moment) }
    }
    views += signals.queries.map { view($0.name, $0.limit, nil, moment) }
    if signals.flagFile != nil {
      views.append(view(Self.flagFile, SlotDefinition.SignalLimit(1), nil, moment))
    }
    if let blind = views.first(where: { $0.standing == .unknown }) {
      return Verdict(load: nil, worst: blind, all: views)
    }
    let worst = views.max { ($0.load ?? -1) < ($1.load ?? -1) }
    return Verdict(load: worst?.load ?? 0, worst: worst?.load == nil ? nil : worst, all: views)
  }

  private func view(
    _ name: String, _ limit: SlotDefinition.SignalLimit, _ signal: SlotDefinition.Signal?, _ moment: Moment
  ) -> SignalView {
    var view = SignalView(
      name: name, standing: .unknown, value: nil, limit: limit.value, unit: signal?.unit ?? .count, load: nil,
      age: nil, note: "not measured yet")
    if let entry = entries[name] {
      view.age = max(0, moment.now - entry.at)
      view.note = nil
      switch entry.reading {
      case .value(let value, let note):
        view.note = note
        take(value, entry, signal, moment, &view)
      case .absent(let why):
        view.standing = .absent
        view.note = why
      case .unknown(let why): view.note = why
      }
      if let age = view.age, age > maxAge {
        view.standing = .unknown
        view.load = nil
        view.note = "the last look is too old"
      }
    }
    if view.standing == .unknown, limit.onUnknown == .ignore { view.standing = .ignored }
    return view
  }

  private func take(
    _ value: Double, _ entry: Entry, _ signal: SlotDefinition.Signal?, _ moment: Moment,
    _ view: inout SignalView
  ) {
    var value = value
    var next = 0.0
    switch signal {
    case .replicaBytes, .slotLag:
      let isLater = moment.position > entry.position && entry.position.isValid
      value += isLater ? Double(moment.position.bytes(since: entry.position)) : 0
      // Where the limit is less than two batches, one may still go.
      next = min(moment.next, view.limit / 2)
    default: break
    }
    guard !value.isNaN else {
      view.note = "not a number"
      return
    }
    view.value = value
    let load = signal?.isFloor == true ? (value > 0 ? view.limit / value : 10) : (value + next) / view.limit
    view.load = max(0, load)
    view.standing = load >= PaceController.stop ? .holds : .free
    if load >= PaceController.stop, next > 0, value < view.limit {
      view.note = [view.note, "the next batch would pass it"].compactMap(\.self).joined(separator: ", ")
    }
  }
}
