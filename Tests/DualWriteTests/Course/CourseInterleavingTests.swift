import Testing

@testable import DualWrite

/// What a schedule came to.
private enum Ending: Equatable {
  case right
  case wrong(String)
  case stuck
}

@Suite("Both ways: every interleaving ends with what the last writer meant", .timeLimit(.minutes(10)))
struct CourseInterleavingTests {
  private typealias Act = CourseWorld.Act

  /// Three transactions on one row, each at any place among the steps of our writer, with a crash at any place or none.
  private func exhaust(_ weakness: CourseWorld.Weakness, stopAtFirst: Bool = false) -> [String] {
    let acts: [Act] = [
      .old(0, status: 1), .old(0, status: 2), .new(0, state: 1), .new(0, state: 2), .other(0),
    ]
    var bad: [String] = []
    let places = 8
    for first in acts {
      for second in acts {
        for third in acts {
          for savepoints in [0b000, 0b111, 0b010] {
            let script = [first, second, third].enumerated().map {
              ($0.element, savepoints >> $0.offset & 1 == 1)
            }
            for a in 0..<places {
              for b in a..<places {
                for c in b..<places {
                  // The log is read between two flights, or falls behind for one.
                  for (crash, pause) in [(-1, 4), (2, 4), (3, 4), (7, 4), (-1, 7), (5, 7)] {
                    let ending = run(script, at: [a, b, c], crash: crash, reading: pause, weakness)
                    if ending != .right {
                      bad.append("\(script) at \([a, b, c]), crash \(crash), \(pause): \(ending)")
                      if stopAtFirst { return bad }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    return bad
  }

  private func run(
    _ script: [(Act, Bool)], at places: [Int], crash: Int, reading pause: Int,
    _ weakness: CourseWorld.Weakness
  ) -> Ending {
    var world = CourseWorld(rows: 1, weakness: weakness)
    var next = 0
    for step in 0..<9 {
      if step == crash { world.crash() }
      while next < script.count, places[next] <= step {
        // A row that we hold is waited for: until our commit.
        guard world.commit([(script[next].0, inSavepoint: script[next].1)]) else { break }
        next += 1
      }
      if step % pause == 0 { world.readOne() } else { world.fly() }
    }
    while next < script.count {
      if world.commit([(script[next].0, inSavepoint: script[next].1)]) { next += 1 } else { world.fly() }
    }
    guard world.drain() else { return .stuck }
    return world.wrong.isEmpty ? .right : .wrong("\(world.wrong) meant \(world.meant)")
  }

  @Test("three transactions on one row, at every place, with and without savepoints and a crash")
  func exhaustive() {
    let bad = exhaust(.none)
    #expect(bad.isEmpty, "\(bad.count), such as \(bad.prefix(3))")
  }

  @Test(
    "many rows, transactions of several statements, deletes, key changes, partitions, truncates, locked rows and crashes",
    arguments: 0..<8)
  func random(part: UInt64) {
    for seed in (part * 4000)..<((part + 1) * 4000) {
      let ending = random(seed: seed, .none)
      #expect(ending == .right, "seed \(seed)")
      if ending != .right { return }
    }
  }

  private func random(seed: UInt64, _ weakness: CourseWorld.Weakness) -> Ending {
    var generator = Dice(seed: seed)
    var world = CourseWorld(rows: 3, weakness: weakness)
    for _ in 0..<40 {
      switch generator.roll(11) {
      case 0..<3: _ = world.commit(transaction(&generator))
      case 3..<6: world.readOne()
      case 6..<9: world.fly()
      case 9: if generator.roll(3) == 0 { world.letGo() } else { world.keep(generator.roll(3)) }
      default: if generator.roll(4) == 0 { world.crash() }
      }
    }
    guard world.drain() else { return .stuck }
    return world.wrong.isEmpty ? .right : .wrong("\(world.wrong) meant \(world.meant)")
  }

  private func transaction(_ generator: inout Dice) -> [(Act, inSavepoint: Bool)] {
    (0..<(1 + generator.roll(3))).map { _ in
      let key = generator.roll(3)
      let value = 1 + generator.roll(3)
      let act: Act =
        switch generator.roll(13) {
        case 0..<3: .old(key, status: value)
        case 3..<6: .new(key, state: value)
        case 6: .mixed(key, value: value)
        case 7, 8: .other(key)
        case 9: .delete(key)
        case 10: .repartition(key)
        case 11: .truncate
        default: .move(key, to: generator.roll(3))
        }
      return (act, inSavepoint: generator.roll(3) == 0)
    }
  }

  @Test("the test sees a version condition that is weakened to the pair's values: the ABA case")
  func pairEquality() {
    #expect(!exhaust(.pairEquality, stopAtFirst: true).isEmpty)
  }

  @Test("it sees a look whose position in the log is not waited for")
  func noWaiting() {
    #expect(!exhaust(.noWaiting, stopAtFirst: true).isEmpty)
  }

  @Test("it sees a checkpoint that passes a row which is kept locked")
  func passesHeld() {
    #expect((0..<4000 as Range<UInt64>).contains { random(seed: $0, .passesHeld) != .right })
  }

  @Test("it sees a write without any condition on the version")
  func noCondition() {
    #expect(!exhaust(.unprovenAge, stopAtFirst: true).isEmpty)
  }
}

/// Random numbers that come again with their seed (SplitMix64).
struct Dice {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func roll(_ sides: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(sides))
  }
}
