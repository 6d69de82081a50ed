import Hummingbird

/// What is known of a request: also who asks.
struct SlotContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Whose token came with it; nil where nobody is asked for one.
  var holder: Token?

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
  }

  /// Whether the slot may be shown.
  func allows(_ slot: String) -> Bool { holder?.allows(slot) ?? true }
}
