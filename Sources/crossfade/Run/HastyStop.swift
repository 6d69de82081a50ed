import ChangeLog
import Dispatch
import Glibc
import Synchronization

/// The second SIGINT or SIGTERM ends the process at once. That is safe at any moment: nothing is ever confirmed
/// before it is durable.
enum HastyStop {
  private static let signals = Atomic<Int>(0)
  /// Sources end when they are let go; these live as long as the process.
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
  private static let guarding = Mutex(())

  static func install() {
    for number in [SIGINT, SIGTERM] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in
        guard signals.add(1, ordering: .relaxed).newValue >= 2 else { return }
        ShellCommand.killAll()
        _exit(128 + number)
      }
      source.resume()
      guarding.withLock { _ in sources.append(source) }
    }
  }
}
