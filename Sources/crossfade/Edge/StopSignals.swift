import Dispatch
import Glibc
import Postgres
import Synchronization

/// SIGINT and SIGTERM stop interrupts; one that finds them all stopped ends the process at once.
enum StopSignals {
  private static let interrupts = Mutex<[Interrupt]>([])
  /// Sources end when they are let go; these live as long as the process. Guarded by `interrupts`.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Has the signals stop this interrupt, too. Asked again for the same, nothing is done.
  static func install(_ interrupt: Interrupt) {
    interrupts.withLock { held in
      if held.contains(where: { $0 === interrupt }) { return }
      held.append(interrupt)
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { @Sendable in
          let waiting = interrupts.withLock { $0.filter { !$0.isStopped } }
          if waiting.isEmpty { _exit(128 + number) }
          for interrupt in waiting { interrupt.stop() }
        }
        // A signal that came before would be lost.
        let isReady = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { @Sendable in isReady.signal() }
        source.resume()
        isReady.wait()
        sources.append(source)
      }
    }
  }
}
