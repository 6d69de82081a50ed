import PGOutput

/// The standbys, each by its name: the slowest of them counts, and one that has gone is not forgotten.
struct ReplicaWatch: Sendable {
  /// A standby as the primary sees it.
  struct Standby: Sendable, Equatable {
    var name: String
    /// What it has replayed; nil where we may not see it.
    var replayed: LSN?
    /// Its lag as the server measures it, in milliseconds.
    var measured: Double?
  }

  private var clock = ReplicaClock()
  private var known: Set<String> = []

  /// A look: what `replica_lag` and `replica_bytes` are.
  mutating func look(_ standbys: [Standby], position: LSN, at now: Double) -> (
    lag: SignalBoard.Reading, bytes: SignalBoard.Reading
  ) {
    clock.record(position, at: now)
    if standbys.contains(where: { $0.replayed == nil }) {
      let why = SignalBoard.Reading.unknown(
        "this role may not see the standbys: GRANT pg_read_all_stats TO it, or turn the signal off")
      return (why, why)
    }
    let gone = known.subtracting(standbys.map(\.name)).sorted()
    known.formUnion(standbys.map(\.name))
    if let name = gone.first {
      let why = SignalBoard.Reading.unknown("standby \(name) is not connected any more")
      return (why, why)
    }
    let lags = standbys.map { standby in
      (
        standby.name,
        clock.lag(replayed: standby.replayed ?? .invalid, measured: standby.measured, now: now),
        Double(position.bytes(since: min(standby.replayed ?? .invalid, position)))
      )
    }
    if let last = standbys.compactMap(\.replayed).min() { clock.forget(upTo: last) }
    guard let slow = lags.max(by: { $0.1 < $1.1 }), let far = lags.max(by: { $0.2 < $1.2 }) else {
      return (.absent("there is no standby"), .absent("there is no standby"))
    }
    return (.value(slow.1, note: "standby \(slow.0)"), .value(far.2, note: "standby \(far.0)"))
  }
}
