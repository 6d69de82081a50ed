import Glibc
import Synchronization

/// The servers this process has running, in a table that a signal handler may read.
///
/// A handler may call almost nothing; `signalAll(_:)` only loads atomics and calls `kill(2)`, which is allowed
/// (`signal-safety(7)`). A cluster enters when it starts and leaves when it stops.
public enum LiveServers {
  /// More servers than this at a time are not entered; the guard of each still sees to them.
  static let capacity = 64

  private static let slots = InlineArray<64, Atomic<Int32>> { _ in Atomic(0) }

  /// How many servers run.
  public static var count: Int {
    var count = 0
    for index in 0..<capacity where slots[index].load(ordering: .acquiring) != 0 { count += 1 }
    return count
  }

  /// Sends a signal to every server: SIGINT for a fast stop, SIGQUIT for an immediate one.
  ///
  /// To be called from a signal handler, `count` must have been asked, or a server started, once before.
  public static func signalAll(_ signal: Int32) {
    for index in 0..<capacity {
      let pid = slots[index].load(ordering: .acquiring)
      if pid > 0 { _ = kill(pid, signal) }
    }
  }

  static func enter(_ pid: pid_t) {
    for index in 0..<capacity {
      if slots[index].compareExchange(expected: 0, desired: pid, ordering: .acquiringAndReleasing).exchanged {
        return
      }
    }
  }

  static func leave(_ pid: pid_t) {
    for index in 0..<capacity {
      if slots[index].compareExchange(expected: pid, desired: 0, ordering: .acquiringAndReleasing).exchanged {
        return
      }
    }
  }
}
