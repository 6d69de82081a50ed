/// What went wrong between us and a server. Each case carries the purpose of the statement, in words.
public enum PostgresError: Error, Sendable {
  /// The connection string cannot be read. The text never quotes the string itself.
  case invalidConnectionString(reason: String)
  /// No session came about: nobody answers, or the server refuses us.
  case connectionFailed(message: String)
  /// The session is gone; whether the last transaction committed is unknown.
  case connectionLost(purpose: String, message: String)
  /// The server reported an error; the session stands.
  case server(ServerError)
  /// We were told to stop while waiting.
  case interrupted(purpose: String)
  /// Our own deadline passed.
  case timedOut(purpose: String, milliseconds: Int)
  /// The server answered with something the protocol does not lead us to expect.
  case unexpected(purpose: String, what: String)

  /// The SQLSTATE where the server gave one.
  public var sqlState: SQLState? {
    if case .server(let error) = self { return error.sqlState }
    return nil
  }

  /// Whether the session cannot be used any more.
  public var isConnectionGone: Bool {
    switch self {
    case .connectionLost, .connectionFailed, .timedOut: return true
    case .server(let error): return error.sqlState.isServerUnavailable
    default: return false
    }
  }

  /// Whether the same may succeed when it is tried again in this very session: a lock that was not had, a deadlock, a statement that
  /// was cancelled.
  public var isPassing: Bool {
    guard case .server(let error) = self, !isConnectionGone else { return false }
    return error.sqlState.isTransient || error.sqlState == .queryCanceled
  }

  /// Whether trying again, on a new connection if need be, may succeed without anybody mending anything.
  public var isRetriable: Bool {
    switch self {
    case .connectionLost, .connectionFailed, .timedOut: return true
    case .server(let error): return error.sqlState.isTransient || error.sqlState.isServerUnavailable
    default: return false
    }
  }
}

/// An error report of the server (`PQresultErrorField`).
public struct ServerError: Sendable, Hashable {
  /// What the statement was for.
  public var purpose: String
  /// The condition.
  public var sqlState: SQLState
  /// The primary message.
  public var message: String
  /// The detail line, if any.
  public var detail: String?
  /// The server's hint, if any.
  public var hint: String?
  /// The constraint concerned, if any.
  public var constraint: String?
}

extension PostgresError: CustomStringConvertible {
  /// One line: what could not be done and why.
  public var description: String {
    switch self {
    case .invalidConnectionString(let reason): return "the connection string cannot be used: \(reason)"
    case .connectionFailed(let message): return "cannot connect: \(message)"
    case .connectionLost(let purpose, let message):
      return "connection lost while trying to \(purpose): \(message)"
    case .server(let error):
      var text = "cannot \(error.purpose): \(error.message) (SQLSTATE \(error.sqlState))"
      if let detail = error.detail { text += "; \(detail)" }
      return text
    case .interrupted(let purpose): return "stopped while trying to \(purpose)"
    case .timedOut(let purpose, let milliseconds):
      return "gave up after \(milliseconds) ms trying to \(purpose)"
    case .unexpected(let purpose, let what): return "unexpected answer while trying to \(purpose): \(what)"
    }
  }

  /// The server's hint, if any.
  public var hint: String? {
    if case .server(let error) = self { return error.hint }
    return nil
  }
}
