import Testing

@testable import Migration

@Suite("Patience with locks") struct LockPatienceTests {
  @Test("each try may keep others waiting a little longer, up to the limit; between tries it sleeps")
  func grows() {
    var patience = LockPatience(timeouts: 100...2_000, budget: 600_000)
    var timeouts: [Int] = []
    for _ in 0..<7 {
      guard case .attempt(let timeout) = patience.next(elapsed: 0, blocked: false) else { break }
      timeouts.append(timeout)
      guard case .wait = patience.next(elapsed: 0, blocked: false) else { break }
    }
    #expect(timeouts == [100, 200, 400, 800, 1_600, 2_000, 2_000])
    #expect(patience.attempts == 7)
  }

  @Test("sleeps are drawn from the whole of a ceiling that doubles with each try, and are never nothing")
  func jitter() {
    var ceilings: [Int] = []
    var patience = LockPatience(timeouts: 100...2_000, budget: 600_000)
    for _ in 0..<9 {
      _ = patience.next(elapsed: 0, blocked: false)
      let action = patience.next(elapsed: 0, blocked: true) { ceiling in
        ceilings.append(ceiling)
        return 0
      }
      #expect(action == .wait(milliseconds: 20))
    }
    #expect(ceilings == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
  }

  @Test("looks come soon after each other, however many there were")
  func looks() {
    var patience = LockPatience(timeouts: 100...2_000, budget: 600_000)
    for _ in 0..<9 { #expect(patience.next(elapsed: 0, blocked: true) { $0 } == .wait(milliseconds: 500)) }
  }

  @Test("while somebody obstinate holds it there is no try; the budget ends the waits")
  func blocked() {
    var patience = LockPatience(timeouts: 100...2_000, budget: 1_000)
    #expect(patience.next(elapsed: 0, blocked: true) { $0 } == .wait(milliseconds: 500))
    #expect(patience.next(elapsed: 900, blocked: true) { $0 } == .wait(milliseconds: 100))
    #expect(patience.next(elapsed: 1_000, blocked: true) == .giveUp)
    #expect(patience.attempts == 0)
  }

  @Test("the last try is limited as the others are; then it gives up")
  func last() {
    var patience = LockPatience(timeouts: 10...50, budget: 1_000, attempts: 2)
    #expect(patience.next(elapsed: 0, blocked: false) == .attempt(lockTimeout: 10))
    _ = patience.next(elapsed: 20, blocked: false)
    #expect(patience.next(elapsed: 30, blocked: false) == .attempt(lockTimeout: 20))
    _ = patience.next(elapsed: 60, blocked: false)
    #expect(patience.next(elapsed: 70, blocked: false) == .giveUp)
  }

  @Test("an autovacuum is waited out at once: it goes when it is waited for")
  func autovacuum() {
    var patience = LockPatience(timeouts: 100...2_000, budget: 1_000)
    #expect(patience.next(elapsed: 0, blocked: false, yielding: true) == .attempt(lockTimeout: 2_000))
  }

  @Test("which modes wait for which")
  func conflicts() {
    for one in LockMode.allCases {
      for other in LockMode.allCases {
        #expect(one.conflicts.contains(other) == other.conflicts.contains(one), "\(one) and \(other)")
      }
    }
    #expect(LockMode.allCases.map { $0.conflicts.count } == [1, 2, 4, 5, 5, 6, 7, 8])
    #expect(LockMode.shareRowExclusive.catalogName == "ShareRowExclusiveLock")
  }
}
