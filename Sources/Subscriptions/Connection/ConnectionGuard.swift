import NIOCore
import NIOHTTP1

/// Stands right behind the decoder of a connection: bounds what a client may make it wait for, and notices when it leaves.
///
/// Nothing that is served takes a body, so none is passed on: what is not read in time cannot be held up behind it.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  let peer = Peer()

  /// How long a request may take to come whole.
  private let limit: TimeAmount
  /// How long a client has to read an answer that came before its request was whole: closed at once, it might lose it.
  private static let linger = TimeAmount.seconds(2)

  /// The versions of the requests that are not answered yet, the oldest first.
  private var versions = CircularBuffer<HTTPVersion>()
  /// Whether the last request has not come whole.
  private var isReading = false
  /// Whether the connection ends with the answer that is being sent.
  private var endsWithAnswer = false
  /// Whether that answer was sent.
  private var isAnswered = false
  private var deadline: Scheduled<Void>?

  init(limit: TimeAmount) { self.limit = limit }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    switch part {
    case .head(let head):
      versions.append(head.version)
      isReading = true
      deadline?.cancel()
      deadline = Self.close(context.channel, in: limit)
    case .body: return
    case .end:
      isReading = false
      deadline?.cancel()
      if isAnswered { context.close(promise: nil) }
    }
    if !isAnswered { context.fireChannelRead(data) }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      let version = versions.first ?? .http1_1
      let isWhole = !isReading || versions.count > 1
      // What is older knows no chunks: the end of the connection is the end of the answer.
      let isOld = version.major == 1 && version.minor == 0
      if isOld { head.version = version }
      endsWithAnswer = endsWithAnswer || !isWhole || isOld
      if endsWithAnswer { head.headers.replaceOrAdd(name: "Connection", value: "close") }
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      _ = versions.popFirst()
      guard endsWithAnswer else { return context.write(data, promise: promise) }
      isAnswered = true
      let sent = promise ?? context.eventLoop.makePromise()
      let (channel, lingers) = (context.channel, isReading)
      sent.futureResult.whenComplete { _ in
        if lingers { _ = Self.close(channel, in: Self.linger) } else { channel.close(promise: nil) }
      }
      context.writeAndFlush(data, promise: sent)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { peer.leave() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    peer.leave()
    context.fireChannelInactive()
  }

  private static func close(_ channel: any Channel, in time: TimeAmount) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }
}
