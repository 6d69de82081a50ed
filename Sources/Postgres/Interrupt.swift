import Glibc
import Synchronization

/// Wakes threads that wait in poll(2), from any other thread or from a signal handler.
///
/// `stop()` is for good: every wait that looks at this interrupt ends, now and later. `nudge()` ends one wait.
public final class Interrupt: Sendable {
  private let reader: Int32
  private let writer: Int32
  private let stopped = Atomic<Bool>(false)

  /// A new interrupt, or nil when the process is out of file descriptors.
  public init?() {
    var pair: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else { return nil }
    reader = pair[0]
    writer = pair[1]
  }

  deinit {
    close(reader)
    close(writer)
  }

  /// The descriptor that becomes readable.
  package var descriptor: Int32 { reader }

  /// Whether `stop()` was called.
  public var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Ends every wait, now and later.
  public func stop() {
    stopped.store(true, ordering: .releasing)
    nudge()
  }

  /// Ends one wait.
  public func nudge() {
    var byte: UInt8 = 1
    // A full pipe is as good as a written one: the reader wakes either way.
    _ = send(writer, &byte, 1, Int32(MSG_NOSIGNAL))
  }

  /// Sleeps until the time is up or the interrupt is stopped. Says whether it was stopped.
  @discardableResult
  public func wait(milliseconds: Int) -> Bool {
    let deadline = Deadline.after(milliseconds: milliseconds)
    while !isStopped {
      var descriptor = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
      guard poll(&descriptor, 1, deadline.remainingMilliseconds) > 0 else {
        if deadline.hasPassed { return isStopped }
        continue
      }
      drain()
    }
    return true
  }

  /// Takes what nudges have gathered; a stopped interrupt stays readable.
  package func drain() {
    guard !isStopped else { return }
    var sink: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    _ = withUnsafeMutableBytes(of: &sink) { recv(reader, $0.baseAddress, $0.count, 0) }
  }
}
