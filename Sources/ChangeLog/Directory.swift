import Glibc

/// What is asked of a directory by path, for the log's and the spool's.
package enum Directory {
  /// The names in it, in no order; none when it is not there.
  package static func names(in path: String) throws(ChangeLogError) -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw LogFile.error("opendir", path, errno)
    }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found
  }

  /// Makes created, renamed and removed names durable.
  package static func sync(_ path: String, _ calls: FileCalls) throws(ChangeLogError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LogFile.error("open", path, errno) }
    defer { close(descriptor) }
    guard calls.syncDirectory(descriptor) == 0 else { throw .syncFailed(path: path, errno: errno) }
  }
}
