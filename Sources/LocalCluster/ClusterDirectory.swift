import Glibc

/// A cluster's own directory: `data/`, `server.log` and the unix socket, for its owner only.
struct ClusterDirectory: Hashable, Sendable {
  /// Absolute, without symbolic links.
  let root: String
  let owner: ClusterOwner

  var data: String { "\(root)/data" }
  var log: String { "\(root)/server.log" }
  var settings: String { "\(data)/cluster.conf" }
  var postmasterFile: String { "\(data)/postmaster.pid" }

  /// `sockaddr_un.sun_path` has 108 bytes, the last of them NUL.
  static let socketPathLimit_bytes = 107

  /// Makes a directory of a new name below `base`, and gives it to `owner`.
  static func create(below base: String?, owner: ClusterOwner) throws(ClusterError) -> ClusterDirectory {
    let parent = base ?? ProcessEnvironment.value("TMPDIR") ?? "/tmp"
    // The longest socket there can be: a port has at most five digits.
    let longest = "\(parent)/crossfade-XXXXXX/.s.PGSQL.65535"
    guard longest.utf8.count <= socketPathLimit_bytes else {
      throw .socketPathTooLong(path: longest, bytes: longest.utf8.count)
    }
    var template = Array("\(parent)/crossfade-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw .system(call: "mkdtemp", path: parent, errno: errno) }
    let made = template.withUnsafeBufferPointer { text in
      text.baseAddress.map { String(cString: $0) } ?? ""
    }
    // /proc/PID/cwd shows the path without symbolic links; the guard compares with it.
    guard let resolved = realpath(made, nil) else {
      throw .system(call: "realpath", path: made, errno: errno)
    }
    defer { free(resolved) }
    let directory = ClusterDirectory(root: String(cString: resolved), owner: owner)
    try directory.giveToOwner(directory.root)
    return directory
  }

  /// Writes a file and gives it to the owner. `mode` counts for a new file.
  func write(_ text: String, to path: String, append: Bool = false, mode: mode_t = 0o600) throws(ClusterError)
  {
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC)
    let descriptor = open(path, flags, mode)
    guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw .system(call: "write", path: path, errno: errno) }
      rest = rest.dropFirst(count)
    }
    try giveToOwner(path)
  }

  /// Deletes it with all it holds.
  func remove() throws(ChildProcessError) {
    _ = try ChildProcess.run(["rm", "-rf", "--", root])
  }

  private func giveToOwner(_ path: String) throws(ClusterError) {
    guard geteuid() == 0 else { return }
    guard chown(path, owner.userID, owner.groupID) == 0 else {
      throw .system(call: "chown", path: path, errno: errno)
    }
  }
}
