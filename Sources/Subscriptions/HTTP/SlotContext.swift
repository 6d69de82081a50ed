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

  /// Whether the slot may be shown.
  func allows(_ slot: String) -> Bool { holder?.allows(slot) ?? true }
}
