#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A file, or standard input, read a piece at a time.
final class InputFile {
  private let descriptor: Int32
  private let name: String

  /// Opens a path; `-` is standard input.
  init(_ path: String) throws(SystemError) {
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .current("open \(path)") }
    var facts = stat()
    if fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR {
      if descriptor > 0 { close(descriptor) }
      throw SystemError(code: EISDIR, action: "open \(path)")
    }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

  /// The next bytes, as many as are there up to 256 KiB; none at the end.
  func next() throws(SystemError) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .current("read \(name)") }
      piece.removeLast(piece.count - count)
      return piece
    }
  }
}
