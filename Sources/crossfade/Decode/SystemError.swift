#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A system call that failed, and on what.
struct SystemError: Error, CustomStringConvertible {
  /// `errno`.
  let code: Int32
  /// What was being done: `write to standard output`.
  let action: String

  /// The failure that `errno` now names.
  static func current(_ action: String) -> SystemError { SystemError(code: errno, action: action) }

  /// Nobody reads what is written.
  var isClosedPipe: Bool { code == EPIPE }

  /// `cannot write to standard output: No space left on device`
  var description: String { "cannot \(action): \(String(cString: strerror(code)))" }
}

/// Writes all of the bytes to a descriptor, however often it takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, action: String) throws(SystemError) {
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes {
      write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
    }
    if count < 0 {
      if errno == EINTR { continue }
      throw .current(action)
    }
    written += count
  }
}
