import Hummingbird
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// Serves slots over HTTP, until it is shut down.
public struct SlotServer: Service {
  private let plan: ServePlan
  private let application: Application<RouterResponder<SlotContext>>
  private let bound: Bound
  private let hubs: [EventHub]
  private let book: SubscriberBook

  /// How long subscribers have to take what was sent to them, once the server ends.
  private static let farewell = Duration.seconds(3)

  /// Reads certificate, key and tokens; listens when it is run.
  ///
  /// - Parameter book: where it is kept who is being sent events.
  public init(
    _ plan: ServePlan, slots: [ServedSlot], book: SubscriberBook = SubscriberBook(), logger: Logger
  ) throws(ServeError) {
    self.plan = plan
    self.book = book
    let bound = Bound()
    self.bound = bound
    let tokens: TokenFile?
    if let path = plan.tokens { tokens = try TokenFile(path: path, logger: logger) } else { tokens = nil }
    let pool = ReadPool(threads: 4)
    let hubs = slots.compactMap { slot in
      slot.events.map {
        EventHub(
          slot: slot.name, source: $0, book: book, plan: plan, tokens: tokens, pool: pool, logger: logger)
      }
    }
    self.hubs = hubs
    application = Application(
      router: Routes(slots: slots, events: EventRoutes(hubs: hubs)).router(plan, tokens),
      server: try .of(plan),
      configuration: .init(
        address: .hostname(plan.host, port: plan.port), serverName: "crossfade",
        availableConnectionsDelegate: ConnectionLimit(plan.connections, logger: logger)),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? plan.port
        bound.set(port)
        logger.info(
          "serving",
          metadata: [
            "listen": "\(plan.host):\(port)", "tls": "\(plan.tls != nil)", "tokens": "\(plan.tokens != nil)",
          ])
      },
      logger: logger)
  }

  /// The port it listens on; nil before it does.
  public var port: Int? { bound.port }

  /// Listens and answers; throws `ServeError` when it cannot listen.
  public func run() async throws {
    for hub in hubs { hub.bell.start() }
    defer { endStreams() }
    do {
      // A graceful shutdown waits for what is being answered: streams end, and each subscriber knows where it stands. One that
      // takes nothing would have it wait for ever.
      try await withGracefulShutdownHandler {
        try await application.run()
      } onGracefulShutdown: {
        endStreams()
        Task { [book] in
          try? await Task.sleep(for: Self.farewell)
          book.cutAll()
        }
      }
    } catch {
      // What fails before it listens is the address: taken, not ours, or a name that nobody knows.
      guard bound.port == nil, !(error is CancellationError) else { throw error }
      throw ServeError.cannotListen(address: "\(plan.host):\(plan.port)", reason: "\(error)")
    }
  }

  private func endStreams() { for hub in hubs { hub.bell.end() } }

  /// The port, once it is known.
  private final class Bound: Sendable {
    private let value = Mutex<Int?>(nil)

    var port: Int? { value.withLock { $0 } }
    func set(_ port: Int) { value.withLock { $0 = port } }
  }
}
