/// How a child process ended.
public enum ProcessStatus: Hashable, Sendable, CustomStringConvertible {
  /// It returned from `main` or called `exit` with this code.
  case exited(Int32)
  /// This signal ended it.
  case signalled(Int32)

  /// Reads what `waitpid` stores (`wait.h`: the low seven bits are the signal, the next byte the code).
  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7F
    self = signal == 0 ? .exited(waitStatus >> 8 & 0xFF) : .signalled(signal)
  }

  /// Whether it ended with code zero.
  public var isSuccess: Bool { self == .exited(0) }

  /// "exit code 1" or "signal 9".
  public var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signalled(let signal): "signal \(signal)"
    }
  }
}
