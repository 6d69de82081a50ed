import Glibc
import Synchronization

/// Lets writers through to their next transaction, holds them while traffic is paused, sends them home at the end.
final class WorkloadGate: Sendable {
  private enum Mode {
    case open
    case paused
    case closed
  }

  private struct State {
    var mode = Mode.open
    /// Writers between `enter` and `leave`.
    var inside = 0
    /// Counts pauses, so that a writer can tell that time stood still.
    var pauses = 0
  }

  private let state = Mutex(State())

  /// Waits while paused. Answers false when traffic is over. Each true is followed by one `leave`.
  func enter() -> Bool {
    while true {
      let answer = state.withLock { state -> Bool? in
        switch state.mode {
        case .open:
          state.inside += 1
          return true
        case .paused: return nil
        case .closed: return false
        }
      }
      if let answer { return answer }
      usleep(1000)
    }
  }

  func leave() { state.withLock { $0.inside -= 1 } }

  var isClosed: Bool { state.withLock { $0.mode == .closed } }

  var isOpen: Bool { state.withLock { $0.mode == .open } }

  var pauses: Int { state.withLock { $0.pauses } }

  /// Answers when no writer is inside, or false after `limit`.
  func pause(within limit: Duration) -> Bool {
    state.withLock { state in
      guard state.mode == .open else { return }
      state.mode = .paused
      state.pauses += 1
    }
    return eventually(within: limit) { state.withLock { $0.inside == 0 } }
  }

  func resume() { state.withLock { if $0.mode == .paused { $0.mode = .open } } }

  func close() { state.withLock { $0.mode = .closed } }
}
