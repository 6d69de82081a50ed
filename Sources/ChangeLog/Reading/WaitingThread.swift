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
    let code = DetachedThread.start { [work] in work.run() }
    guard code == 0 else {
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
