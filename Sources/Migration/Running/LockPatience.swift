/// Decides how a lock is asked for: when to try, how long each try may keep others waiting, when to give up. A value: what was
/// seen goes in, what to do comes out.
///
/// - Each try waits longer than the one before, up to a limit, which also holds for the last: whoever queues behind us waits no
///   longer than that.
/// - Between tries it sleeps anything up to a growing ceiling (full jitter), so that two who meet do not meet again.
/// - While somebody holds the lock in a transaction that is not about to end, it does not try at all, only looks again soon: a
///   look keeps nobody waiting, and the moment between two such transactions is short.
struct LockPatience {
  /// What to do next.
  enum Action: Equatable {
    /// Ask for the lock with this `lock_timeout`, in milliseconds.
    case attempt(lockTimeout: Int)
    /// Sleep, then look again.
    case wait(milliseconds: Int)
    /// The budget is spent.
    case giveUp
  }

  /// Tries so far.
  private(set) var attempts = 0
  private let timeouts: ClosedRange<Int>
  private let budget: Int
  private let attemptsAllowed: Int
  private var ceiling = 50
  private var mustWait = false
  /// The longest time between two looks at who holds the lock.
  private static let look = 500

  /// - Parameters:
  ///   - timeouts: `lock_timeout` of the first and the last try.
  ///   - budget: milliseconds for all tries and sleeps together.
  ///   - attempts: how often at most.
  init(timeouts: ClosedRange<Int>, budget: Int, attempts: Int = 200) {
    self.timeouts = timeouts
    self.budget = budget
    attemptsAllowed = attempts
  }

  /// - Parameters:
  ///   - elapsed: milliseconds since the beginning.
  ///   - blocked: somebody who is not about to end holds the lock.
  ///   - yielding: an autovacuum holds it, which the server ends once we have waited for `deadlock_timeout`, a second.
  ///   - draw: a number from 0 to its argument, at random.
  mutating func next(
    elapsed: Int, blocked: Bool, yielding: Bool = false, draw: (Int) -> Int = { Int.random(in: 0...$0) }
  ) -> Action {
    if mustWait || blocked {
      guard elapsed < budget else { return .giveUp }
      if mustWait { ceiling = min(5_000, ceiling * 2) }
      let longest = mustWait ? ceiling : Self.look
      mustWait = false
      // Never nothing: a look costs the server something too.
      return .wait(milliseconds: min(max(20, draw(longest)), max(20, budget - elapsed)))
    }
    guard attempts == 0 || (elapsed < budget && attempts < attemptsAllowed) else { return .giveUp }
    let grown = attempts < 16 ? timeouts.lowerBound << attempts : timeouts.upperBound
    attempts += 1
    mustWait = true
    return .attempt(lockTimeout: yielding ? timeouts.upperBound : min(timeouts.upperBound, grown))
  }
}
