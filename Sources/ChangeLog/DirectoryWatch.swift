import Glibc

/// Waits for another process to write in a directory, by inotify. Where inotify is not to be had (its limit is
/// reached, or the file system is remote) it is a bounded wait.
final class DirectoryWatch {
  private let descriptor: Int32
  private static let longestWait: Int32 = 200

  init(_ path: String) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if descriptor >= 0 {
      inotify_add_watch(descriptor, path, UInt32(IN_MODIFY) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO))
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Returns when something was written, or after `milliseconds`, 200 at most.
  func wait(milliseconds: Int32) {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let bound = min(milliseconds, descriptor >= 0 ? Self.longestWait : 20)
    guard poll(&request, descriptor >= 0 ? 1 : 0, bound) > 0 else { return }
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { events in
      while read(descriptor, events.baseAddress, events.count) > 0 {}
    }
  }
}
