import Glibc
import Synchronization

extension Cluster {
  /// Starts the server and waits until it accepts sessions, crash recovery included.
  ///
  /// - Throws: `ClusterError.startFailed` or `.startTimedOut` with the end of the server's log, `.alreadyRunning`.
  public func start() throws(ClusterError) {
    try turn.withLock { _ throws(ClusterError) in try startLocked() }
  }

  func startLocked() throws(ClusterError) {
    if let pid { throw .alreadyRunning(pid: pid) }
    var triesLeft = 20
    while true {
      do throws(ClusterError) {
        return try startOnce()
      } catch .startFailed(let status, let log) {
        triesLeft -= 1
        guard triesLeft > 0 else { throw .startFailed(status: status, log: log) }
        if configuration.listensOnLoopback, log.contains("Address already in use") {
          let port = try LoopbackPort.free()
          state.withLock { $0.port = port }
        } else if log.contains("shared memory block") && log.contains("still in use") {
          // Backends of a killed server are on their way out (`sysv_shmem.c`).
          usleep(250_000)
        } else {
          throw .startFailed(status: status, log: log)
        }
      }
    }
  }

  private func startOnce() throws(ClusterError) {
    try applySettings()
    let logged = TextFile.size(directory.log)
    let server: ChildProcess
    do {
      server = try ChildProcess(
        directory.commandLine([installation.path(of: .postgres), "-D", directory.data]),
        environment: ["LC_ALL": "C", "PGDATA": nil, "PGPORT": nil],
        output: .file(directory.log), errors: .file(directory.log), newGroup: true)
    } catch {
      throw .process(error)
    }
    LiveServers.enter(server.pid)
    // One that ended by itself may still be there; its process id may by now be anybody's.
    if let former = replaceServer(with: server) { LiveServers.leave(former.pid) }
    let isSettled = eventually(within: configuration.startLimit) {
      !server.isRunning || isReady(server)
    }
    if isSettled, server.isRunning { return }
    let status = server.status
    if status == nil { server.stop(SIGQUIT) }
    LiveServers.leave(server.pid)
    state.withLock { $0.server = nil }
    let log = TextFile.lastLines(of: directory.log, count: 20, from: logged)
    if let status { throw .startFailed(status: status, log: log) }
    throw .startTimedOut(after: configuration.startLimit, log: log)
  }

  /// What `pg_ctl` looks at (`pg_ctl.c wait_for_postmaster_start`): the first line of `postmaster.pid` is the process
  /// id, the eighth the state (`pidfile.h`).
  private func isReady(_ server: ChildProcess) -> Bool {
    guard let text = TextFile.read(directory.postmasterFile) else { return false }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 8, lines[0] == String(server.pid) else { return false }
    return lines[7].hasPrefix("ready") || lines[7].hasPrefix("standby")
  }

  /// Changes settings and tells a running server to read them. Those that only a start can change wait for the next.
  public func configure(_ settings: [String: String]) throws(ClusterError) {
    try turn.withLock { _ throws(ClusterError) in
      state.withLock { $0.settings.merge(settings) { $1 } }
      try applySettings()
      state.withLock { state in _ = state.server?.kill(SIGHUP) }
    }
  }

  private func applySettings() throws(ClusterError) {
    var settings = state.withLock { $0.settings }
    settings["port"] = String(port)
    settings["unix_socket_directories"] = directory.root
    settings["listen_addresses"] = configuration.listensOnLoopback ? "127.0.0.1" : ""
    try directory.writeSettings(settings)
  }
}
