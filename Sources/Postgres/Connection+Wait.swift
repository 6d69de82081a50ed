import CLibPQ
import Glibc

enum WaitOutcome {
  case ready
  case interrupted
  case timedOut
}

extension Connection {
  /// Waits until the socket is ready, the interrupt is stopped or the deadline passes.
  ///
  /// - Parameter endingInOrder: an orderly end is under way, which a stop must not cut short.
  func wait(
    read: Bool, write: Bool, deadline: Deadline?, wakeOnNudge: Bool = false, endingInOrder: Bool = false
  ) -> WaitOutcome {
    let interrupt = endingInOrder ? nil : interrupt
    let socket = PQsocket(handle)
    guard socket >= 0 else { return .ready }  // libpq reports the loss at the next call
    var events: Int16 = 0
    if read { events |= Int16(POLLIN) }
    if write { events |= Int16(POLLOUT) }
    var descriptors = [
      pollfd(fd: socket, events: events, revents: 0),
      pollfd(fd: interrupt?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      if let interrupt, interrupt.isStopped { return .interrupted }
      let milliseconds = deadline?.remainingMilliseconds ?? -1
      let ready = poll(&descriptors, 2, milliseconds)
      if ready < 0 {
        if errno == EINTR { continue }
        return .ready
      }
      if descriptors[1].revents != 0, let interrupt {
        if interrupt.isStopped { return .interrupted }
        interrupt.drain()
        if wakeOnNudge { return .interrupted }
      }
      if descriptors[0].revents != 0 { return .ready }
      if let deadline, deadline.hasPassed { return .timedOut }
    }
  }

  /// Sends what libpq has buffered.
  func flush(purpose: String, deadline: Deadline?, endingInOrder: Bool = false) throws(PostgresError) {
    while true {
      switch PQflush(handle) {
      case 0: return
      case 1:
        switch wait(read: true, write: true, deadline: deadline, endingInOrder: endingInOrder) {
        case .ready:
          guard PQconsumeInput(handle) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
        case .interrupted: throw .interrupted(purpose: purpose)
        case .timedOut: throw .timedOut(purpose: purpose, milliseconds: 0)
        }
      default: throw .connectionLost(purpose: purpose, message: message)
      }
    }
  }

  /// The next result of what was sent, nil at the end of a statement.
  ///
  /// An interrupt or a deadline cancels the statement at the server first, so that nothing goes on behind our back.
  func nextResult(
    purpose: String, deadline: Deadline?, endingInOrder: Bool = false
  ) throws(PostgresError) -> QueryResult? {
    while PQisBusy(handle) == 1 {
      switch wait(read: true, write: false, deadline: deadline, endingInOrder: endingInOrder) {
      case .ready:
        guard PQconsumeInput(handle) == 1 else { throw .connectionLost(purpose: purpose, message: message) }
      case .interrupted:
        cancelAtServer()
        throw .interrupted(purpose: purpose)
      case .timedOut:
        cancelAtServer()
        throw .timedOut(purpose: purpose, milliseconds: 0)
      }
    }
    guard let result = PQgetResult(handle) else { return nil }
    return QueryResult(owning: result)
  }

  /// Asks the server to end the running statement (`PQcancel`: a connection of its own, brief).
  func cancelAtServer() {
    guard let cancel = PQgetCancel(handle) else { return }
    var text = [CChar](repeating: 0, count: 256)
    _ = PQcancel(cancel, &text, Int32(text.count))
    PQfreeCancel(cancel)
  }
}
