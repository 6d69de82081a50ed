import Glibc
import Synchronization

extension Cluster {
  /// Stops the server and waits for its end.
  ///
  /// - Throws: `ClusterError.stopTimedOut` when it still runs after `limit`; it is left as it is then. A fast stop waits
  ///   for walsenders until their clients have confirmed everything.
  @discardableResult
  public func stop(_ mode: StopMode = .fast, within limit: Duration = .seconds(60)) throws(ClusterError)
    -> ProcessStatus
  {
    try turn.withLock { _ throws(ClusterError) in try stopLocked(mode, within: limit) }
  }

  /// Stops the server and starts it again, on the same port.
  public func restart(_ mode: StopMode = .fast, within limit: Duration = .seconds(60)) throws(ClusterError) {
    try turn.withLock { _ throws(ClusterError) in
      try stopLocked(mode, within: limit)
      try startLocked()
    }
  }

  /// Kills the server and all its backends with SIGKILL, as a power cut would (the operating system's page cache
  /// survives). `start()` recovers.
  public func kill9() throws(ClusterError) {
    try turn.withLock { _ throws(ClusterError) in
      guard let server = takeServer() else { throw .notRunning }
      // Stopped first, so that it starts no backend while we count them. Backends lead sessions of their own
      // (`fork_process`, `setsid`), so a signal to the group would miss them.
      server.kill(SIGSTOP)
      let backends = ProcessTree.children(of: server.pid)
      for backend in backends { _ = kill(backend, SIGKILL) }
      server.kill(SIGKILL)
      _ = server.wait(for: .seconds(30))
      _ = eventually(within: .seconds(10)) { backends.allSatisfy { ProcessTree.hasEnded($0) } }
      LiveServers.leave(server.pid)
    }
  }

  @discardableResult
  private func stopLocked(_ mode: StopMode, within limit: Duration) throws(ClusterError) -> ProcessStatus {
    guard let server = state.withLock({ $0.server }) else { throw .notRunning }
    guard server.kill(mode.signal) else {
      _ = takeServer()
      LiveServers.leave(server.pid)
      throw .notRunning
    }
    guard let status = server.wait(for: limit) else {
      throw .stopTimedOut(mode: mode, after: limit, log: logTail())
    }
    _ = takeServer()
    LiveServers.leave(server.pid)
    return status
  }

  private func takeServer() -> ChildProcess? { replaceServer(with: nil) }

  /// Answers with the server that was there before.
  func replaceServer(with server: ChildProcess?) -> ChildProcess? {
    state.withLock { state in
      defer { state.server = server }
      return state.server
    }
  }
}
