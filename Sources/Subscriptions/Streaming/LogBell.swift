import ChangeLog
import PGOutput
import Synchronization

/// Wakes those who wait at the log's end: one thread sleeps at the tail for all of them.
///
/// A wait begins with the count of rings that was seen before the log was read, so that none is missed in between.
final class LogBell: Sendable {
  private struct Waiter {
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var rings: UInt64 = 0
    var nextID: UInt64 = 0
    var waiters: [UInt64: Waiter] = [:]
    /// Waits that ended before they began.
    var cancelled: Set<UInt64> = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let tail: LogTail

  /// Called several times a second, on the bell's thread.
  private let tick: @Sendable () -> Void

  init(_ tail: LogTail, tick: @escaping @Sendable () -> Void) {
    self.tail = tail
    self.tick = tick
  }

  /// Listens until `end`.
  func start() {
    DetachedThread.start { [self] in listen() }
  }

  /// How often it has rung.
  var rings: UInt64 { state.withLock { $0.rings } }

  /// Whether no more will come.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Lets everybody go for good.
  func end() {
    let waiters = state.withLock { state in
      state.isOver = true
      defer { state.waiters.removeAll() }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.continuation.resume() }
  }

  /// Lets all who wait look around: what they wait for may have come to nothing.
  func wake() {
    let waiters = state.withLock { state in
      defer { state.waiters.removeAll(keepingCapacity: true) }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.continuation.resume() }
  }

  /// Waits for a ring after `seen`, until the deadline, or `wake`, or the task is cancelled.
  ///
  /// - Parameter isVain: whether there is nothing to wait for any more. Whoever makes it true calls `wake` afterwards.
  func wait(
    after seen: UInt64, until deadline: ContinuousClock.Instant, unless isVain: @Sendable () -> Bool
  ) async {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let goesOn = state.withLock { state in
          if state.cancelled.remove(id) != nil || state.isOver || state.rings != seen || isVain() {
            return true
          }
          state.waiters[id] = Waiter(deadline: deadline, continuation: continuation)
          return false
        }
        if goesOn { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        let waiter = state.waiters.removeValue(forKey: id)
        if waiter == nil { state.cancelled.insert(id) }
        return waiter
      }
      waiter?.continuation.resume()
    }
    state.withLock { _ = $0.cancelled.remove(id) }
  }

  private func listen() {
    var seen = tail.durable?.watermark ?? .invalid
    var ticked = ContinuousClock.now
    while !isOver {
      let end = tail.wait(after: seen, timeout: .milliseconds(250))?.watermark ?? .invalid
      let hasMore = end > seen
      seen = max(seen, end)
      let now = ContinuousClock.now
      let waiters = state.withLock { state -> [Waiter] in
        if hasMore {
          state.rings &+= 1
          defer { state.waiters.removeAll(keepingCapacity: true) }
          return Array(state.waiters.values)
        }
        let late = state.waiters.filter { $0.value.deadline <= now }
        for id in late.keys { state.waiters[id] = nil }
        return Array(late.values)
      }
      for waiter in waiters { waiter.continuation.resume() }
      if now - ticked >= .milliseconds(500) {
        ticked = now
        tick()
      }
      // A closed tail does not wait.
      if tail.isClosed { return self.end() }
    }
  }
}
