public import Derivation

/// Where and to whom a process serves.
public struct ServePlan: Sendable {
  /// The host to listen on: a name or an address.
  public var host: String
  /// The port; 0 takes any that is free.
  public var port: Int
  /// Files with certificate chain and private key, PEM; nil serves in the clear.
  public var tls: SlotDefinition.Serve.TLS?
  /// The file with the tokens; nil asks nobody for one.
  public var tokens: String?
  /// The most connections at once; what comes beyond them waits in the listen queue.
  public var connections: Int
  /// A subscriber that takes nothing, with more bytes of the log before it, is cut off; nil: none ever is.
  public var subscriberLag: UInt64?
  /// How long a subscriber is sent nothing before it gets a sign of life.
  public var heartbeat = Duration.seconds(10)
  /// Seconds in which a request must come whole, and after which a connection that sends nothing is closed, unless it is being answered.
  public var idleSeconds = 30
  /// The most bytes of a request's line and headers together.
  public var headBytes = 16 << 10

  /// The plan of a slot definition's `serve:`.
  public init(_ serve: SlotDefinition.Serve) {
    host = serve.listen.host
    port = serve.listen.port
    tls = serve.tls
    tokens = serve.tokens
    connections = serve.connections
    subscriberLag = serve.subscriberLag.map { UInt64($0.bytes) }
  }
}
