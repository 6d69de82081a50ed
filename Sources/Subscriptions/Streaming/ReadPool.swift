import ChangeLog
import Glibc
import Synchronization

/// A few threads on which the log is read: reading blocks, and neither the server's event loops nor the cooperative pool may.
///
/// A job is a piece of a subscriber's work, so that all take turns. The queue is guarded by its condition: hence `@unchecked`.
final class ReadPool: Sendable {
  private final class Queue: @unchecked Sendable {
    private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [@Sendable () -> Void] = []
    private var head = 0
    private var isOver = false

    init() {
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(condition, nil)
    }

    deinit {
      pthread_cond_destroy(condition)
      pthread_mutex_destroy(mutex)
      condition.deallocate()
      mutex.deallocate()
    }

    func add(_ job: @escaping @Sendable () -> Void) {
      pthread_mutex_lock(mutex)
      jobs.append(job)
      pthread_cond_signal(condition)
      pthread_mutex_unlock(mutex)
    }

    func end() {
      pthread_mutex_lock(mutex)
      isOver = true
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }

    /// Works until there is nothing left and nothing to come.
    func work() {
      while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      while head == jobs.count, !isOver { pthread_cond_wait(condition, mutex) }
      guard head < jobs.count else { return nil }
      let job = jobs[head]
      head += 1
      if head == jobs.count || head > 1024 {
        jobs.removeFirst(head)
        head = 0
      }
      return job
    }
  }

  private let queue = Queue()

  init(threads: Int) {
    for _ in 0..<threads { DetachedThread.start { [queue] in queue.work() } }
  }

  deinit { queue.end() }

  /// Does a piece of work on one of the threads.
  func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.add { continuation.resume(returning: body()) }
    }
  }
}
