import ChangeLog
import Dispatch
import Glibc
import Postgres
import Synchronization

/// SIGINT and SIGTERM stop an interrupt; a second one ends the process at once, and the commands it runs.
enum StopSignals {
  /// Sources end when they are let go; these live as long as the process.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
  private static let guarding = Mutex(())
  private static let last = Atomic<Int32>(0)

  /// The signal that ends a command which only reads; nil while there was none.
  static var ending: Int32? {
    let number = last.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  static func install(_ interrupt: Interrupt) { install(interrupt, isBusy: nil) }

  /// For a command that only reads: the signal ends the process as it would any other, but when it is busy with what must
  /// be ended first.
  static func install(_ interrupt: Interrupt, endingUnless isBusy: @escaping @Sendable () -> Bool) {
    install(interrupt, isBusy: isBusy)
  }

  private static func install(_ interrupt: Interrupt, isBusy: (@Sendable () -> Bool)?) {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in
        if interrupt.isStopped { end(number) }
        if isBusy != nil { last.store(number, ordering: .releasing) }
        interrupt.stop()
        if let isBusy, !isBusy() { end(number) }
      }
      source.resume()
      guarding.withLock { _ in sources.append(source) }
    }
  }

  private static func end(_ number: Int32) {
    ShellCommand.killAll()
    _exit(128 + number)
  }
}
