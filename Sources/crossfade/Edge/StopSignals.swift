import Dispatch
import Glibc
import Postgres
import Synchronization

/// SIGINT and SIGTERM stop an interrupt; a second one ends the process at once.
enum StopSignals {
  /// Sources end when they are let go; these live as long as the process.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
  private static let guarding = Mutex(())

  static func install(_ interrupt: Interrupt) {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in
        if interrupt.isStopped { _exit(128 + number) }
        interrupt.stop()
      }
      source.resume()
      guarding.withLock { _ in sources.append(source) }
    }
  }
}
