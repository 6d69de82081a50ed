import Glibc

/// Files and directories as a value, to be read from the real disk and put onto it.
package indirect enum RealTree: Hashable {
  case file([UInt8])
  case directory([String: RealTree])

  struct Failure: Error {
    var path: String
    var errno: Int32
  }

  /// What stands at `path`.
  static func read(_ path: String) throws -> RealTree {
    guard let stream = opendir(path) else {
      guard errno == ENOTDIR else { throw Failure(path: path, errno: errno) }
      return .file(try contents(path))
    }
    defer { closedir(stream) }
    var entries: [String: RealTree] = [:]
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { entries[name] = try read("\(path)/\(name)") }
    }
    return .directory(entries)
  }

  /// Makes it at `path`, where a directory may stand already.
  package func put(at path: String) throws {
    switch self {
    case .file(let bytes):
      let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o640)
      guard descriptor >= 0 else { throw Failure(path: path, errno: errno) }
      defer { close(descriptor) }
      guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
        throw Failure(path: path, errno: errno)
      }
    case .directory(let entries):
      guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw Failure(path: path, errno: errno) }
      for (name, entry) in entries { try entry.put(at: "\(path)/\(name)") }
    }
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Failure(path: path, errno: errno) }
    defer { close(descriptor) }
    var info = stat()
    fstat(descriptor, &info)
    var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
    let got = pread(descriptor, &bytes, bytes.count, 0)
    return Array(bytes[..<max(got, 0)])
  }
}

/// A directory that goes with the value that made it, in memory where there is such a place.
package final class ScratchDirectory: Sendable {
  package let path: String

  package init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/crossfade-disk-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RealTree.Failure(path: parent, errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    guard let stream = opendir(path) else {
      unlink(path)
      return
    }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { remove("\(path)/\(name)") }
    }
    closedir(stream)
    rmdir(path)
  }
}
