import HummingbirdCore
import Logging

/// So many connections and no more. That nobody else gets in is said, but not once for each that would.
struct ConnectionLimit: AvailableConnectionsDelegate {
  let most: Int
  let logger: Logger
  private var open = 0
  private var said: ContinuousClock.Instant?

  /// How often it is said at the most.
  private static let pause = Duration.seconds(60)

  init(_ most: Int, logger: Logger) {
    self.most = most
    self.logger = logger
  }

  mutating func connectionOpened() {
    open += 1
    let now = ContinuousClock.now
    guard open >= most, said.map({ now - $0 >= Self.pause }) ?? true else { return }
    said = now
    logger.warning(
      "all connections are taken: others wait until one ends",
      metadata: ["connections": "\(open)", "hint": "raise serve.connections, or stop clients that need none"])
  }

  mutating func connectionClosed() { open -= 1 }

  func isAcceptingNewConnections() -> Bool { open < most }
}
