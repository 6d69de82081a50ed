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
    for _ in 0..<threads { OwnThread.start { [queue] in queue.work() } }
  }

  deinit { queue.end() }

  /// Does a piece of work on one of the threads.
  func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.add { continuation.resume(returning: body()) }
    }
  }
}

/// A detached thread.
enum OwnThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts one; false when the system has none left.
  @discardableResult
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let retained = Unmanaged.passRetained(Body(body))
    let code = pthread_create(
      &thread, &attributes,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    if code != 0 { retained.release() }
    return code == 0
  }
}
