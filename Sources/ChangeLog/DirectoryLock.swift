import Glibc

/// One writer for a directory: an exclusive flock on its `lock` file, which names the holder's pid. The kernel
/// lets go of it when the process ends, however it ends.
final class DirectoryLock {
  private let descriptor: Int32

  init(directory: String, calls: FileCalls) throws(ChangeLogError) {
    let path = directory + "/lock"
    let opened = FileCalls.uninterrupted { calls.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640) }
    guard opened >= 0 else { throw LogFile.error("open", path, errno) }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = Self.holder(opened)
      close(opened)
      if code == EWOULDBLOCK { throw .locked(directory: directory, pid: holder) }
      throw LogFile.error("flock", path, code)
    }
    let pid = Array("\(getpid())\n".utf8)
    // A courtesy to whom it keeps out. It may fail: a log on a full disk can still be opened, and room be made.
    _ = FileCalls.uninterrupted { calls.truncate(opened, 0) }
    _ = FileCalls.uninterrupted { calls.write(opened, pid, pid.count, 0) }
    descriptor = opened
  }

  /// Unlocks by name: closing alone would leave the lock to a child that is between fork and exec.
  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let got = pread(descriptor, &bytes, bytes.count, 0)
    guard got > 0 else { return nil }
    let digits = bytes[..<got].prefix { (48...57).contains($0) }
    return Int32(String(decoding: digits, as: UTF8.self))
  }
}
