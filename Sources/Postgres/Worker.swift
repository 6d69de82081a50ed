import Glibc
import Synchronization

/// A thread of its own for work that waits in poll(2), so that Swift's cooperative pool is never blocked.
public final class Worker<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiters: [CheckedContinuation<Value, Never>] = []
  }

  private let state = Mutex(State())

  /// Starts `body` on a new thread.
  public init(stackSize: Int = 1 << 20, _ body: @escaping @Sendable () -> Value) {
    let box = ThreadBody { [self] in finish(body()) }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(box).toOpaque())
    pthread_attr_destroy(&attributes)
    // No thread to be had (EAGAIN): run here. Slower, never lost.
    if status != 0 { Unmanaged.passUnretained(box).takeRetainedValue().run() }
  }

  /// The result, when the thread has ended.
  public var value: Value {
    get async {
      await withCheckedContinuation { continuation in
        let done = state.withLock { state -> Value? in
          if state.value == nil { state.waiters.append(continuation) }
          return state.value
        }
        if let done { continuation.resume(returning: done) }
      }
    }
  }

  /// The result, if the thread has ended.
  public var result: Value? { state.withLock { $0.value } }

  /// Whether the thread has ended.
  public var isFinished: Bool { state.withLock { $0.value != nil } }

  private func finish(_ value: Value) {
    let waiters = state.withLock { state in
      state.value = value
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: value) }
  }
}

/// Carries a closure into `pthread_create`.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs blocking work on a thread of its own and waits for it without blocking the cooperative pool.
public func onThread<Value: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
  let worker = Worker<Result<Value, Failure>> { () -> Result<Value, Failure> in
    do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
  }
  return try await worker.value.get()
}
