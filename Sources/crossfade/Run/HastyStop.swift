import Dispatch
import Glibc
import Synchronization

/// The second SIGINT or SIGTERM ends the process at once. That is safe at any moment: nothing is ever confirmed
/// before it is durable.
enum HastyStop {
  private static let signals = Atomic<Int>(0)
  private static let sources = Mutex<[any DispatchSourceSignal]>([])

  static func install() {
    for number in [SIGINT, SIGTERM] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in
        if signals.add(1, ordering: .relaxed).newValue >= 2 { _exit(128 + number) }
      }
      source.resume()
      sources.withLock { $0.append(source) }
    }
  }
}
