import Glibc

/// Puts emitted files into a directory. None is ever overwritten: whoever has one of these names has a reason.
public struct EmissionWriter {
  /// Why nothing, or not all, was written.
  public enum Failure: Error, Hashable, Sendable {
    /// A file of this name is there; nothing was written.
    case exists(path: String)
    /// The system refused.
    case system(path: String, errno: Int32)
  }

  let directory: String

  /// A writer into a directory, which is made when it is not there.
  public init(directory: String) { self.directory = directory }

  /// Writes all of them, or, where one is there already, none.
  public func write(_ files: [EmittedFile]) throws(Failure) {
    for file in files {
      let path = "\(directory)/\(file.path)"
      var status = stat()
      if lstat(path, &status) == 0 { throw .exists(path: path) }
    }
    for file in files {
      try makeParents(of: file.path)
      try write(file)
    }
  }

  private func makeParents(of path: String) throws(Failure) {
    var folder = ""
    let parts = directory.split(separator: "/", omittingEmptySubsequences: false)
    let inner = path.split(separator: "/").dropLast()
    for (index, part) in (parts + inner).enumerated() {
      folder += (index == 0 ? "" : "/") + part
      guard !part.isEmpty else { continue }
      if mkdir(folder, 0o777) != 0, errno != EEXIST { throw .system(path: folder, errno: errno) }
    }
  }

  private func write(_ file: EmittedFile) throws(Failure) {
    let path = "\(directory)/\(file.path)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw errno == EEXIST ? .exists(path: path) : .system(path: path, errno: errno)
    }
    let code = writeAll(file.text, to: descriptor)
    // What close reports is the last that the disk has to say of it.
    let closed = close(descriptor) == 0 ? 0 : errno
    if code != 0 || closed != 0 { throw .system(path: path, errno: code != 0 ? code : closed) }
  }

  private func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = rest.dropFirst(count)
    }
    return 0
  }
}
