/// What a throw-away cluster should be like.
public struct ClusterConfiguration: Sendable {
  /// The server programs; nil looks for them (`PostgresInstallation.find()`).
  public var installation: PostgresInstallation?
  /// Where the cluster's directory is made; nil stands for TMPDIR, or `/tmp` where that is not set.
  public var baseDirectory: String?
  /// Whether it also listens on 127.0.0.1, on a free port, with a password made for it.
  public var listensOnLoopback = false
  /// Whether commits reach the disk (`fsync`). Off is for tests that never look at durability or speed.
  public var isDurable = true
  /// Whether initdb syncs the files it wrote; a second or more on slow disks, of no use to a cluster made anew each time.
  public var syncsInitialFiles = false
  /// Server settings, over `defaultSettings`.
  public var settings: [String: String] = [:]
  /// How long a start may take, crash recovery included.
  public var startLimit: Duration = .seconds(60)
  /// What becomes of it when its last reference is dropped or this process dies.
  public var ending: Ending = .remove

  /// What becomes of a cluster in the end.
  public enum Ending: Hashable, Sendable {
    /// The server is stopped and its files are deleted; also when this process is killed.
    case remove
    /// The server is stopped, the files stay: to look at what a failed test left.
    case keepFiles
    /// The server goes on without us.
    case leaveRunning
  }

  /// A durable cluster on a unix socket, ready for logical replication.
  public init() {}

  /// The settings every cluster starts from: logical decoding with room for several slots, UTC, quick feedback.
  public static let defaultSettings: [String: String] = [
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a: ",
    "log_checkpoints": "off",
    "restart_after_crash": "on",
  ]

  /// All settings of a server of this major version. From 18 on `max_replication_slots` no longer limits the replication
  /// origins too; unless told otherwise there are as many.
  func settings(for major: Int) -> [String: String] {
    var all = Self.defaultSettings.merging(settings) { $1 }
    all["fsync"] = settings["fsync"] ?? (isDurable ? "on" : "off")
    if major >= 18, all["max_active_replication_origins"] == nil {
      all["max_active_replication_origins"] = all["max_replication_slots"]
    }
    return all
  }
}
