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

  /// Makes the directory, one level; false when it was there.
  package static func make(_ path: String, _ calls: FileCalls) throws(ChangeLogError) -> Bool {
    if FileCalls.uninterrupted({ calls.makeDirectory(path, 0o750) }) == 0 { return true }
    guard errno == EEXIST else { throw LogFile.error("mkdir", path, errno) }
    return false
  }

  /// Gives a file or directory another name, in place of what has it.
  package static func rename(
    _ path: String, to newPath: String, _ calls: FileCalls
  ) throws(ChangeLogError) {
    guard FileCalls.uninterrupted({ calls.rename(path, newPath) }) == 0 else {
      throw LogFile.error("rename", path, errno)
    }
  }

  /// Removes a file, if it is there.
  package static func remove(_ path: String, _ calls: FileCalls) throws(ChangeLogError) {
    guard FileCalls.uninterrupted({ calls.unlink(path) }) == 0 || errno == ENOENT else {
      throw LogFile.error("unlink", path, errno)
    }
  }

  /// Makes created, renamed and removed names durable.
  package static func sync(_ path: String, _ calls: FileCalls) throws(ChangeLogError) {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let descriptor = FileCalls.uninterrupted { calls.open(path, flags, 0) }
    guard descriptor >= 0 else { throw LogFile.error("open", path, errno) }
    defer { close(descriptor) }
    guard FileCalls.uninterrupted({ calls.syncDirectory(descriptor) }) == 0 else {
      throw .syncFailed(path: path, errno: errno)
    }
  }
}
