import Glibc

/// The system calls that write, as values: so that a test can make one of them fail or fall short.
struct FileCalls: Sendable {
  var write: @Sendable (Int32, UnsafeRawPointer, Int, Int) -> Int = { pwrite($0, $1, $2, $3) }
  var syncData: @Sendable (Int32) -> Int32 = { fdatasync($0) }
  var syncDirectory: @Sendable (Int32) -> Int32 = { fsync($0) }
  var truncate: @Sendable (Int32, Int) -> Int32 = { ftruncate($0, $1) }

  static let system = FileCalls()
}

/// The text of an errno value.
func systemMessage(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
