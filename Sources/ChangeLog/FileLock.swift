import Glibc

/// An exclusive flock on a file or directory, waited for; let go of with the value.
final class FileLock {
  private let descriptor: Int32

  /// Makes the file when it is not there.
  init(path: String) throws(ChangeLogError) {
    descriptor = try Self.locked(path, Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640))
  }

  init(directory: String) throws(ChangeLogError) {
    descriptor = try Self.locked(directory, Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  }

  private static func locked(_ path: String, _ descriptor: Int32) throws(ChangeLogError) -> Int32 {
    guard descriptor >= 0 else { throw LogFile.error("open", path, errno) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let code = errno
        close(descriptor)
        throw LogFile.error("flock", path, code)
      }
    }
    return descriptor
  }

  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
