import Glibc

/// The user a server runs as. PostgreSQL refuses root, so root becomes `postgres`, or `nobody` where that is missing.
struct ClusterOwner: Hashable, Sendable {
  let userID: uid_t
  let groupID: gid_t
  /// What stands before a command to run it as this user; empty when we are that user.
  let commandPrefix: [String]

  static func current() throws(ClusterError) -> ClusterOwner {
    guard geteuid() == 0 else {
      return ClusterOwner(userID: geteuid(), groupID: getegid(), commandPrefix: [])
    }
    for name in ["postgres", "nobody"] {
      guard let entry = getpwnam(name), entry.pointee.pw_uid != 0 else { continue }
      let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
      let prefix = ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
      return ClusterOwner(userID: user, groupID: group, commandPrefix: prefix)
    }
    throw .noUnprivilegedUser
  }
}
