import LocalCluster

/// How one life of the process is to end, drawn from a seed.
enum Death: Sendable, CustomStringConvertible {
  /// SIGKILL from outside, so many milliseconds after its start: anywhere between exec and full stream.
  case random(afterMilliseconds: Int)
  /// SIGKILL from inside, at this pass of a named fail point.
  case failPoint(name: String, pass: Int)

  /// The names `crossfade` knows (`FailPoint`).
  static let failPoints = [
    "received", "logged-before-sync", "synced-before-confirm", "applied-before-commit",
    "committed-before-confirm",
  ]

  var description: String {
    switch self {
    case .random(let milliseconds): "after \(milliseconds) ms"
    case .failPoint(let name, let pass): "at \(name):\(pass)"
    }
  }

  /// So many deaths: every other one at a fail point, the five in turn.
  static func schedule(kills: Int, seed: UInt64) -> [Death] {
    var generator = SeededGenerator(seed: seed)
    return (0..<kills).map { number in
      if number % 2 == 0 {
        return .random(afterMilliseconds: Int.random(in: 10...1300, using: &generator))
      }
      let name = failPoints[(number / 2) % failPoints.count]
      // Few passes are the rule: the first after a restart is where recovery and stream meet.
      let pass =
        Bool.random(using: &generator)
        ? Int.random(in: 1...3, using: &generator)
        : Int.random(in: 4...60, using: &generator)
      return .failPoint(name: name, pass: pass)
    }
  }
}
