import Glibc

/// The system calls that change what is on disk, as values: a test makes one of them fail or fall short, or keeps a
/// journal of them all. Everything that the log and its spool do to the file system goes through these.
///
/// Each behaves as its name in libc does: a negative result, or -1, says that `errno` holds the reason.
package struct FileCalls: Sendable {
  /// `open`: path, flags, mode.
  package var open: @Sendable (String, Int32, UInt32) -> Int32 = { Glibc.open($0, $1, $2) }
  /// `pwrite`: descriptor, bytes, count, offset.
  package var write: @Sendable (Int32, UnsafeRawPointer, Int, Int) -> Int = { pwrite($0, $1, $2, $3) }
  package var truncate: @Sendable (Int32, Int) -> Int32 = { ftruncate($0, $1) }
  /// `fdatasync` of a file.
  package var syncData: @Sendable (Int32) -> Int32 = { fdatasync($0) }
  /// `fsync` of a directory.
  package var syncDirectory: @Sendable (Int32) -> Int32 = { fsync($0) }
  /// `rename`: from, to.
  package var rename: @Sendable (String, String) -> Int32 = { Glibc.rename($0, $1) }
  package var unlink: @Sendable (String) -> Int32 = { Glibc.unlink($0) }
  /// `mkdir`: path, mode.
  package var makeDirectory: @Sendable (String, UInt32) -> Int32 = { mkdir($0, $1) }

  package static let system = FileCalls()

  /// Makes a call again as long as a signal interrupts it: it has neither done anything then nor failed.
  static func uninterrupted<R: SignedInteger>(_ call: () -> R) -> R {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}

/// The text of an errno value.
package func systemMessage(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
