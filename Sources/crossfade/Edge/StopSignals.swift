import ChangeLog
import Dispatch
import Glibc
import Postgres
import Synchronization

/// SIGINT and SIGTERM stop interrupts; one that finds them all stopped ends the process at once, and the commands it runs.
enum StopSignals {
  private static let interrupts = Mutex<[Interrupt]>([])
  /// Sources end when they are let go; these live as long as the process. Guarded by `interrupts`.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
  /// Of a command that only reads: whether it is busy with what must be ended before it.
  private static let busy = Mutex<(@Sendable () -> Bool)?>(nil)
  private static let last = Atomic<Int32>(0)

  /// The signal that ends a command which only reads; nil while there was none.
  static var ending: Int32? {
    let number = last.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  /// For a command that only reads: the signal ends the process as it would any other, but when it is busy with what must
  /// be ended first.
  static func install(_ interrupt: Interrupt, endingUnless isBusy: @escaping @Sendable () -> Bool) {
    busy.withLock { $0 = isBusy }
    install(interrupt)
  }

  /// Has the signals stop this interrupt, too. Asked again for the same, nothing is done.
  static func install(_ interrupt: Interrupt) {
    interrupts.withLock { held in
      if held.contains(where: { $0 === interrupt }) { return }
      held.append(interrupt)
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { @Sendable in received(number) }
        // A signal that came before would be lost.
        let isReady = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { @Sendable in isReady.signal() }
        source.resume()
        isReady.wait()
        sources.append(source)
      }
    }
  }

  private static func received(_ number: Int32) {
    let waiting = interrupts.withLock { $0.filter { !$0.isStopped } }
    if waiting.isEmpty { end(number) }
    let isBusy = busy.withLock { $0 }
    if isBusy != nil { last.store(number, ordering: .releasing) }
    for interrupt in waiting { interrupt.stop() }
    if let isBusy, !isBusy() { end(number) }
  }

  private static func end(_ number: Int32) {
    ShellCommand.killAll()
    _exit(128 + number)
  }
}
