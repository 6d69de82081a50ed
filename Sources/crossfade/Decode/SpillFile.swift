#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A temporary file without a name: it goes when it is let go, whatever happens to the process.
final class SpillFile {
  private let descriptor: Int32
  /// Bytes in it.
  private(set) var length = 0

  /// A new, empty file in `$TMPDIR`, or `/tmp`.
  init() throws(SystemError) {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(directory)/crossfade-decode.XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .current("create a temporary file in \(directory)") }
    unlink(template)
  }

  deinit { close(descriptor) }

  /// Adds bytes at the end.
  func append(_ bytes: [UInt8]) throws(SystemError) {
    try writeAll(bytes, to: descriptor, action: "write to a temporary file")
    length += bytes.count
  }

  /// Cuts it to a length.
  func truncate(to length: Int) throws(SystemError) {
    guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, off_t(length), SEEK_SET) >= 0 else {
      throw .current("cut a temporary file")
    }
    self.length = length
  }

  /// Hands out its bytes, a piece at a time.
  func forEachPiece(_ body: ([UInt8]) throws(SystemError) -> Void) throws(SystemError) {
    var offset = 0
    while offset < length {
      var piece = [UInt8](repeating: 0, count: min(1 << 20, length - offset))
      let count = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .current("read a temporary file") }
      piece.removeLast(piece.count - count)
      try body(piece)
      offset += count
    }
  }
}
