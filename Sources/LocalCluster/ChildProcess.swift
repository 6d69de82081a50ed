public import Glibc
import Synchronization

/// A child process over `posix_spawn` and `waitpid`.
///
/// Any thread may signal it or wait for it. A process is signalled and reaped under one lock, so that no signal
/// can reach a stranger who was given the same id later. Dropping the last reference neither stops nor reaps it.
public final class ChildProcess: Sendable {
  /// Where an output of the child goes.
  public enum Output: Hashable, Sendable {
    /// To where ours goes.
    case inherit
    /// Nowhere.
    case discard
    /// To the end of the file at this path, created if missing.
    case file(String)
    /// To this descriptor, which stays ours to close.
    case descriptor(Int32)
  }

  /// Where the child's standard input comes from.
  public enum Input: Hashable, Sendable {
    /// It is empty.
    case empty
    /// From where ours comes.
    case inherit
    /// From this descriptor, which stays ours to close.
    case descriptor(Int32)
  }

  /// The program and its arguments.
  public let arguments: [String]
  /// Its process id. After the end it may belong to another process: signal through `kill(_:)` only.
  public let pid: pid_t
  private let ownsGroup: Bool
  private let reaped = Mutex<ProcessStatus?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - arguments: the program first; one without a slash is looked for in PATH.
  ///   - environment: added to ours; an empty value stands for itself, `nil` removes the variable.
  ///   - input: standard input.
  ///   - output: standard output.
  ///   - errors: standard error.
  ///   - newGroup: whether it leads a process group of its own, so that a Ctrl-C meant for us does not reach it.
  public init(
    _ arguments: [String], environment: [String: String?] = [:], input: Input = .empty,
    output: Output = .inherit, errors: Output = .inherit, newGroup: Bool = false
  ) throws(ChildProcessError) {
    self.arguments = arguments
    self.ownsGroup = newGroup
    pid = try Spawn(
      arguments: arguments, environment: environment, input: input, output: output, errors: errors,
      newGroup: newGroup
    ).start()
  }

  /// How it ended; nil while it runs.
  public var status: ProcessStatus? {
    reaped.withLock { status in reap(&status) }
  }

  /// Whether it still runs.
  public var isRunning: Bool { status == nil }

  /// Sends a signal. Answers false when the process had ended already.
  @discardableResult
  public func kill(_ signal: Int32) -> Bool {
    reaped.withLock { status in
      guard reap(&status) == nil else { return false }
      return Glibc.kill(pid, signal) == 0
    }
  }

  /// Sends a signal to the process group it leads; to the process alone where it leads none.
  @discardableResult
  public func killGroup(_ signal: Int32) -> Bool {
    reaped.withLock { status in
      guard reap(&status) == nil else { return false }
      return Glibc.kill(ownsGroup ? -pid : pid, signal) == 0
    }
  }

  /// Blocks until it ends, at most for `limit`. Answers nil when it still runs then.
  public func wait(for limit: Duration) -> ProcessStatus? {
    var ended: ProcessStatus?
    _ = eventually(within: limit) {
      ended = status
      return ended != nil
    }
    return ended
  }

  /// Stops it: `signal` first, SIGKILL when it still runs after `grace`; reaps it.
  @discardableResult
  public func stop(_ signal: Int32 = SIGTERM, grace: Duration = .seconds(5)) -> ProcessStatus? {
    kill(signal)
    if let ended = wait(for: grace) { return ended }
    kill(SIGKILL)
    return wait(for: .seconds(30))
  }

  private func reap(_ status: inout ProcessStatus?) -> ProcessStatus? {
    guard status == nil else { return status }
    var raw: Int32 = 0
    var answer: pid_t
    repeat { answer = waitpid(pid, &raw, WNOHANG) } while answer == -1 && errno == EINTR
    if answer == pid {
      status = ProcessStatus(waitStatus: raw)
    } else if answer == -1 {
      // ECHILD: someone else in this process reaped it, or SIGCHLD is ignored. How it ended is not known.
      status = .exited(-1)
    }
    return status
  }
}
