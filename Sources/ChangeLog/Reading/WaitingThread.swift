import Glibc

/// A thread for one who must not block the one it is on: does one thing after the other, sleeps in between, and ends
/// with its owner.
package final class WaitingThread: Sendable {
  /// All of it is guarded by the monitor: hence `@unchecked Sendable`.
  private final class Work: @unchecked Sendable {
    let monitor = Monitor()
    var jobs: [@Sendable () -> Void] = []
    var isOver = false

    func run() {
      while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
      monitor.locked {
        while jobs.isEmpty, !isOver { _ = monitor.wait(until: nil) }
        return jobs.isEmpty ? nil : jobs.removeFirst()
      }
    }
  }

  private let work = Work()

  /// Throws when the system has no thread left.
  package init() throws(ChangeLogError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let retained = Unmanaged.passRetained(work)
    let code = pthread_create(
      &thread, &attributes,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    guard code == 0 else {
      retained.release()
      throw .io(operation: "pthread_create", path: "a reader's thread", errno: code)
    }
  }

  deinit {
    work.monitor.locked {
      work.isOver = true
      work.monitor.broadcast()
    }
  }

  package func run(_ job: @escaping @Sendable () -> Void) {
    work.monitor.locked {
      work.jobs.append(job)
      work.monitor.broadcast()
    }
  }
}
