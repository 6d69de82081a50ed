import Glibc

/// Why a throw-away cluster could not be made, started or stopped.
public enum ClusterError: Error, Sendable, CustomStringConvertible {
  /// No usable server programs.
  case installation(InstallationError)
  /// A program could not be run.
  case process(ChildProcessError)
  /// A system call failed on a path.
  case system(call: String, path: String, errno: Int32)
  /// A unix socket there would have a path longer than the 107 bytes the system allows.
  case socketPathTooLong(path: String, bytes: Int)
  /// We are root, whom PostgreSQL refuses to run as, and there is neither a user `postgres` nor `nobody`.
  case noUnprivilegedUser
  /// A setting's name is no name: letters, digits, `_` and `.` only.
  case malformedSettingName(String)
  /// initdb failed; what it said.
  case initdbFailed(status: ProcessStatus, output: String)
  /// pg_basebackup failed; what it said.
  case copyFailed(status: ProcessStatus, output: String)
  /// A standby did not become a primary; the last lines of its log.
  case promotionFailed(reason: String, log: String)
  /// The server ended while starting; the last lines of its log.
  case startFailed(status: ProcessStatus, log: String)
  /// The server was not ready in time, and was killed; the last lines of its log.
  case startTimedOut(after: Duration, log: String)
  /// The server did not stop in time and still runs; the last lines of its log.
  case stopTimedOut(mode: StopMode, after: Duration, log: String)
  /// It runs already.
  case alreadyRunning(pid: Int32)
  /// It does not run.
  case notRunning

  /// One sentence, and the server's own words where there are any.
  public var description: String {
    switch self {
    case .installation(let error): error.description
    case .process(let error): error.description
    case .system(let call, let path, let code): "\(call) \(path): \(String(cString: strerror(code)))"
    case .socketPathTooLong(let path, let bytes):
      "a unix socket path may have 107 bytes, \(path) has \(bytes): choose a shorter base directory (TMPDIR)"
    case .noUnprivilegedUser:
      "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as"
    case .malformedSettingName(let name): "\(name.debugDescription) is not the name of a server setting"
    case .initdbFailed(let status, let output): "initdb failed with \(status):\n\(output)"
    case .copyFailed(let status, let output): "pg_basebackup failed with \(status):\n\(output)"
    case .promotionFailed(let reason, let log):
      "the standby was not promoted: \(reason); its log ends:\n\(log)"
    case .startFailed(let status, let log):
      "the server ended with \(status) while starting; its log ends:\n\(log)"
    case .startTimedOut(let limit, let log): "the server was not ready after \(limit); its log ends:\n\(log)"
    case .stopTimedOut(let mode, let limit, let log):
      "the server still runs \(limit) after a \(mode) stop; its log ends:\n\(log)"
    case .alreadyRunning(let pid): "the server runs already, as process \(pid)"
    case .notRunning: "the server does not run"
    }
  }
}
