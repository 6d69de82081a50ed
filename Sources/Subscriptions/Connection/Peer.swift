import Synchronization

/// Whoever is at the other end of a connection, and whether they are still there.
final class Peer: Sendable {
  private struct State {
    var hasLeft = false
    var notify: @Sendable () -> Void = {}
  }

  private let state = Mutex(State())

  /// Whether they will ask for nothing more: they closed their side, or all of it.
  var hasLeft: Bool { state.withLock { $0.hasLeft } }

  /// Calls this when they leave; in place of what was to be called before. Look at `hasLeft` afterwards.
  func whenLeaving(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notify = notify } }

  func leave() {
    let notify = state.withLock { state in
      state.hasLeft = true
      return state.notify
    }
    notify()
  }
}
