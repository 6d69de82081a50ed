public import Glibc
import Synchronization

/// A throw-away PostgreSQL cluster: its own directory, a server in the foreground as our child, a unix socket that
/// only its owner can reach, and nothing left behind.
///
/// Any thread may use it; starts and stops are taken one after the other. When the last reference is dropped, and also
/// when this process is killed, what `ClusterConfiguration.ending` says becomes of it.
public final class Cluster: Sendable {
  /// The server programs in use.
  public let installation: PostgresInstallation
  /// What it was asked to be.
  public let configuration: ClusterConfiguration
  let directory: ClusterDirectory
  /// The password of TCP sessions. Sessions on the unix socket need none: only its owner can reach it.
  let password: String
  let state: Mutex<State>
  /// Held while a start or stop is under way.
  let turn = Mutex(())
  private let deathGuard: ClusterGuard?

  struct State: ~Copyable {
    var server: ChildProcess?
    var port: UInt16
    var settings: [String: String]
    var ending: ClusterConfiguration.Ending
  }

  /// Makes the data directory. The server is not started.
  public convenience init(
    _ configuration: ClusterConfiguration = ClusterConfiguration()
  ) throws(ClusterError) {
    try self.init(configuration, password: Self.randomPassword()) { data throws(ClusterError) in
      try data.create()
    }
  }

  /// - Parameter fill: puts a data directory there.
  init(
    _ configuration: ClusterConfiguration, password: String,
    fill: (DataDirectory) throws(ClusterError) -> Void
  ) throws(ClusterError) {
    self.configuration = configuration
    let installation: PostgresInstallation
    do throws(InstallationError) {
      if let chosen = configuration.installation {
        installation = chosen
      } else {
        installation = try PostgresInstallation.find()
      }
    } catch {
      throw .installation(error)
    }
    self.installation = installation
    let owner = try ClusterOwner.current()
    let directory = try ClusterDirectory.create(below: configuration.baseDirectory, owner: owner)
    self.directory = directory
    let deathGuard =
      configuration.ending == .leaveRunning
      ? nil : try ClusterGuard(directory, deletesFiles: configuration.ending == .remove)
    self.deathGuard = deathGuard
    self.password = password
    let settings = configuration.settings(for: installation.majorVersion)
    do throws(ClusterError) {
      let port = configuration.listensOnLoopback ? try LoopbackPort.free() : 5432
      state = Mutex(
        State(server: nil, port: port, settings: settings, ending: configuration.ending))
      try fill(
        DataDirectory(
          directory: directory, installation: installation, password: password,
          syncsFiles: configuration.syncsInitialFiles))
    } catch {
      // `deinit` does not run for what never came to be.
      deathGuard?.dismiss()
      if configuration.ending == .remove { try? directory.remove() }
      throw error
    }
  }

  /// Makes a cluster and starts it.
  public static func running(
    _ configuration: ClusterConfiguration = ClusterConfiguration()
  ) throws(ClusterError) -> Cluster {
    let cluster = try Cluster(configuration)
    try cluster.start()
    return cluster
  }

  deinit {
    let (server, ending) = state.withLock { ($0.server, $0.ending) }
    if ending != .leaveRunning, let server {
      server.stop(StopMode.immediate.signal, grace: .seconds(20))
      LiveServers.leave(server.pid)
    }
    // The guard goes last: were we killed before, it would still clean up.
    if ending == .remove { try? directory.remove() }
    deathGuard?.dismiss()
  }

  /// Whether the server runs.
  public var isRunning: Bool { state.withLock { $0.server?.isRunning ?? false } }

  /// The server's process id; nil when it does not run.
  public var pid: pid_t? {
    state.withLock { state in
      guard let server = state.server, server.isRunning else { return nil }
      return server.pid
    }
  }

  /// The port, which also is in the unix socket's name.
  public var port: UInt16 { state.withLock { $0.port } }

  /// The cluster's directory. The unix socket stands in it.
  public var path: String { directory.root }

  /// The data directory.
  public var dataPath: String { directory.data }

  /// The server's log.
  public var logPath: String { directory.log }

  /// The last lines of the server's log.
  public func logTail(lines: Int = 20) -> String { TextFile.lastLines(of: directory.log, count: lines) }

  /// From now on, dropping the last reference leaves the server running and its files in place, and so does the end
  /// of this process.
  public func leaveRunning() {
    let server = state.withLock { state in
      state.ending = .leaveRunning
      return state.server
    }
    deathGuard?.dismiss()
    if let server { LiveServers.leave(server.pid) }
  }

  private static func randomPassword() -> String {
    let (high, low) = (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))
    return String(high, radix: 36) + String(low, radix: 36)
  }
}
