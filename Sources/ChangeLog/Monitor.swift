import Glibc

/// A mutex with a condition variable on the monotonic clock. `Synchronization.Mutex` has no condition to wait for.
///
/// The two pthread objects never move and are only used through pthread's calls: hence `@unchecked Sendable`.
final class Monitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Lets go of the lock until `broadcast` or the deadline; false when the deadline has passed. Called within
  /// `locked`.
  func wait(until deadline: MonotonicTime?) -> Bool {
    guard let deadline else { return pthread_cond_wait(condition, mutex) == 0 }
    var time = deadline.value
    return pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
  }

  func broadcast() { pthread_cond_broadcast(condition) }
}

/// A point on the monotonic clock.
struct MonotonicTime {
  let value: timespec

  /// As far from now as `duration` says; nil, never, for one that is too long to add.
  init?(after duration: Duration) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let (seconds, attoseconds) = duration.components
    guard seconds < 1 << 40 else { return nil }
    var nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
    var whole = now.tv_sec + Int(max(seconds, 0))
    if nanoseconds >= 1_000_000_000 {
      nanoseconds -= 1_000_000_000
      whole += 1
    }
    value = timespec(tv_sec: whole, tv_nsec: max(nanoseconds, 0))
  }

  /// Milliseconds from now on, rounded up; 0 when it has passed.
  var millisecondsLeft: Int32 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let left = (value.tv_sec - now.tv_sec) * 1_000_000_000 + value.tv_nsec - now.tv_nsec
    return Int32(clamping: max(0, (left + 999_999) / 1_000_000))
  }
}
