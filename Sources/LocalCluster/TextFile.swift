import Glibc

/// Small files read whole: logs, pid files, `/proc`.
package enum TextFile {
  /// The text of a file, malformed UTF-8 repaired; nil when it can't be read.
  ///
  /// - Parameter last_bytes: at most so many from its end.
  static func read(_ path: String, last_bytes: Int? = nil) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if let last_bytes {
      let size = lseek(descriptor, 0, SEEK_END)
      if size > last_bytes {
        lseek(descriptor, off_t(-last_bytes), SEEK_END)
      } else {
        lseek(descriptor, 0, SEEK_SET)
      }
    }
    var bytes: [UInt8] = []
    while true {
      let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16384) { buffer in
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
        return count
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      if count < 0 && errno != EINTR { return nil }
    }
  }

  /// A file's size in bytes; 0 when there is none.
  static func size(_ path: String) -> Int {
    var facts = stat()
    return stat(path, &facts) == 0 ? Int(facts.st_size) : 0
  }

  /// The last lines of a file, of what stands after its first `start` bytes; empty when it can't be read.
  package static func lastLines(of path: String, count: Int, from start: Int = 0) -> String {
    let text = read(path, last_bytes: max(0, min(64 * 1024, size(path) - start))) ?? ""
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    return lines.suffix(count).joined(separator: "\n")
  }
}
