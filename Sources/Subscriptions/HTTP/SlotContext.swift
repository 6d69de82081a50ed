import Hummingbird
import NIOCore

/// What is known of a request: also who asks.
struct SlotContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Whose token came with it; nil where nobody is asked for one.
  var holder: Token?
  /// The connection it came on.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Where it came from: address and port.
  var peer: String? {
    guard let address = channel.remoteAddress, let host = address.ipAddress, let port = address.port else {
      return nil
    }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Whether the slot may be shown.
  func allows(_ slot: String) -> Bool { holder?.allows(slot) ?? true }
}
