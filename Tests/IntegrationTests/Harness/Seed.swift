import Glibc

/// The seed of a randomized test: CROSSFADE_TEST_SEED, or a new one; always printed, so that a failure can be had again.
enum Seed {
  static func draw(for test: String) -> UInt64 {
    let given = getenv("CROSSFADE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 1...UInt64(UInt32.max))
    print("\(test): CROSSFADE_TEST_SEED=\(seed)")
    return seed
  }
}
