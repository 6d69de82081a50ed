import Postgres
import Synchronization

/// Shows something again several times a second, from a thread of its own, until told to end.
final class BusyLine: Sendable {
  private let isOpen = Mutex(true)
  private let alarm = Interrupt()

  init(_ show: @escaping @Sendable () -> Void) {
    show()
    guard let alarm else { return }
    _ = Worker<Void> { [self] in
      while !alarm.wait(milliseconds: 200) {
        // Under the lock: nothing is shown any more once `end()` has returned.
        isOpen.withLock { if $0 { show() } }
      }
    }
  }

  func end() {
    isOpen.withLock { $0 = false }
    alarm?.stop()
  }
}
