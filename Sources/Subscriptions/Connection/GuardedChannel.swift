import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// A connection with a `ConnectionGuard` in it.
struct GuardedChannel: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  let base: HTTP1Channel
  /// How long a request may take to come whole.
  let limit: TimeAmount

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    base.setup(channel: channel, logger: logger).flatMapThrowing { [limit] value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(ConnectionGuard(limit: limit), position: .after(decoder))
      return value
    }
  }

  func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

extension Channel {
  /// Who is at the other end; throws where the connection has gone.
  func peer() async throws -> Peer {
    try await eventLoop.submit { [pipeline] in
      try pipeline.syncOperations.handler(type: ConnectionGuard.self).peer
    }.get()
  }
}
