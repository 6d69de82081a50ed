import Synchronization

/// How a segment that is no longer held is brought back for a reader.
///
///     let restore = LogRestore(ShellCommand(try ShellTemplate("cp /archive/%f %p")))
///     let log = LogSource(directory: "/var/lib/crossfade/log", restore: restore)
public struct LogRestore: Sendable {
  /// Copies the segment `%f` from the archive to `%p`; its status is not 0 when the archive does not hold it.
  public let command: ShellCommand
  /// Where segments are brought to, one at a time for a reader; nil: `restored` in the log's directory.
  public let cache: String?
  private var stopped: (@Sendable () -> Bool)?

  /// A restore by a command.
  public init(_ command: ShellCommand, cache: String? = nil) {
    self.command = command
    self.cache = cache
  }

  /// The same; the command is ended, with all it started, once `isStopped` says so. It is asked several times a second.
  public func stopping(_ isStopped: @escaping @Sendable () -> Bool) -> LogRestore {
    var copy = self
    copy.stopped = isStopped
    return copy
  }

  /// Whether this process has a restore command run, for whichever reader.
  package static var isUnderWay: Bool { SegmentRestorer.underWay.load(ordering: .sequentiallyConsistent) > 0 }

  /// Whether its command is to be ended.
  var isStopped: Bool { stopped?() ?? false }
}
