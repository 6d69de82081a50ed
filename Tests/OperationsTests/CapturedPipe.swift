import Glibc
import Synchronization

/// A pipe to write to and read back.
final class CapturedPipe: Sendable {
  let writeEnd: Int32
  private let readEnd: Int32
  private let isOpen = Mutex(true)

  struct PipeError: Error {
    var code: Int32
  }

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw PipeError(code: errno) }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  func closeWriteEnd() {
    isOpen.withLock { isOpen in
      if isOpen { close(writeEnd) }
      isOpen = false
    }
  }

  /// Everything written until the writing end is closed.
  func readAll() -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(readEnd, &buffer, buffer.count)
      if count <= 0 { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Closes the writing end, and reads everything written.
  func finish() -> String {
    closeWriteEnd()
    return readAll()
  }

  deinit {
    closeWriteEnd()
    close(readEnd)
  }
}
