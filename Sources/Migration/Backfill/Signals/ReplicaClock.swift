import PGOutput

/// How long a standby is behind: the age of the oldest WAL that it has not replayed, by when we saw the primary write it.
///
/// `pg_stat_replication.replay_lag` alone will not do: while a standby replays nothing, it stays what it was when it last did.
struct ReplicaClock: Sendable {
  private var history: [(position: LSN, at: Double)] = []

  /// Looks that are kept; older ones are thinned out, never the oldest.
  static let kept = 2048

  /// The primary's position at a moment, in milliseconds.
  mutating func record(_ position: LSN, at: Double) {
    if let last = history.last, position <= last.position { return }
    history.append((position, at))
    if history.count > Self.kept {
      history = history.enumerated().filter { $0.offset.isMultiple(of: 2) || $0.offset > Self.kept / 2 }
        .map(\.element)
    }
  }

  /// Drops what every standby has replayed.
  mutating func forget(upTo position: LSN) {
    guard let keep = history.firstIndex(where: { $0.position > position }) else { return }
    history.removeFirst(keep)
  }

  /// Milliseconds that a standby is behind which has replayed up to a position.
  ///
  /// - Parameter measured: what the server measures, which knows of times before we looked.
  func lag(replayed: LSN, measured: Double?, now: Double) -> Double {
    guard let last = history.last, replayed < last.position else { return 0 }
    let first = history.first { $0.position > replayed }
    return max(first.map { max(0, now - $0.at) } ?? 0, measured ?? 0)
  }
}
