import Glibc

/// The system calls that write, as values: so that a test can make one of them fail or fall short.
package struct FileCalls: Sendable {
  package var write: @Sendable (Int32, UnsafeRawPointer, Int, Int) -> Int = { pwrite($0, $1, $2, $3) }
  package var syncData: @Sendable (Int32) -> Int32 = { fdatasync($0) }
  package var syncDirectory: @Sendable (Int32) -> Int32 = { fsync($0) }
  package var truncate: @Sendable (Int32, Int) -> Int32 = { ftruncate($0, $1) }

  package static let system = FileCalls()
}

/// The text of an errno value.
package func systemMessage(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
