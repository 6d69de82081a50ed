import Glibc
import SimulatedDisk
import Testing

@testable import ChangeLog

@Suite("The power fails") struct PowerLossTests {
  /// Groups of several sizes, transactions over groups, watermarks, rolls, a lost connection, a promotion, restarts.
  static let acts: [LogAct] = [
    .transactions(1), .sync, .transactions(3), .transactions(1), .sync, .mark, .sync, .part, .transactions(2),
    .sync, .part, .sync, .discard, .transactions(1), .part, .discard, .transactions(4), .sync, .promotion,
    .transactions(1), .sync, .part, .restart, .transactions(2), .mark, .sync, .transactions(2), .restart,
    .promotion, .promotion, .mark, .transactions(3), .sync,
    // What was on disk of a transaction is cut off, and something short is written there.
    .part, .sync, .part, .sync, .part, .sync, .discard, .mark, .sync,
    // Segments are sealed over what was never synced.
    .transactions(5), .transactions(5), .transactions(5), .sync,
  ]

  static let seed = SystemRandomNumberGenerator.seed

  @Test("at any moment: what is left is whole transactions, with all that was confirmed")
  func anyMoment() throws {
    let disk = try SimulatedDisk()
    let process = LogProcess(disk)
    try process.perform(Self.acts)
    process.close()
    var judge = LogJudge(seed: Self.seed)
    try judge.judge(disk, draws: 30)
    print("\(judge.states) states after \(disk.callCount) calls, seed \(Self.seed)")
    #expect(judge.states > 100)
  }

  @Test("at any moment, and in the recovery from that, and in the recovery from that")
  func recoveryToo() throws {
    let disk = try SimulatedDisk()
    let process = LogProcess(disk)
    try process.perform(Self.shortActs)
    process.close()
    var judge = LogJudge(seed: Self.seed, depth: 2)
    try judge.judge(disk, draws: 2)
    print("\(judge.states) states after \(disk.callCount) calls, seed \(Self.seed)")
    #expect(judge.states > 100)
  }

  /// A few of everything, for what is tried at each call.
  static let shortActs: [LogAct] = [
    .transactions(1), .sync, .part, .sync, .discard, .transactions(4), .sync, .part, .transactions(3), .mark,
    .sync, .promotion, .transactions(2), .part, .restart, .transactions(1), .sync,
  ]
}

extension SystemRandomNumberGenerator {
  /// A seed for a run, which `CROSSFADE_TEST_SEED` repeats.
  static var seed: UInt64 {
    if let text = getenv("CROSSFADE_TEST_SEED"), let seed = UInt64(String(cString: text)) { return seed }
    var random = SystemRandomNumberGenerator()
    return random.next() % 1_000_000
  }
}
