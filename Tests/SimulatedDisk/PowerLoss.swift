/// What a power failure takes of what was not synced: a draw that its seed repeats.
package struct PowerLoss {
  package enum Extent: Hashable, Sendable {
    /// All that was written is there: as after the death of a process.
    case nothing
    /// Nothing is there that was not synced.
    case everything
    /// Each piece may be there, this likely.
    case some(Double)
  }

  package let extent: Extent
  private var random: DiskRandom

  package init(_ extent: Extent, seed: UInt64 = 0) {
    self.extent = extent
    random = DiskRandom(seed: seed)
  }

  /// Whether the next piece is there.
  mutating func spares() -> Bool {
    guard case .some(let likely) = extent else { return extent == .nothing }
    return random.fraction() < likely
  }

  /// What a piece is: its latest version, or one of the others.
  mutating func pick<T>(from others: [T], latest: T) -> T {
    if spares() { return latest }
    return others[Int(random.next() % UInt64(max(others.count, 1)))]
  }
}

/// SplitMix64: the same seed gives the same draw on every machine.
package struct DiskRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}
