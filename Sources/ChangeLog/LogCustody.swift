import Glibc

/// The lock of a log without a writer: as long as this lives, nobody writes the log. For those who put it elsewhere.
public final class LogCustody {
  /// The log's directory; its new place once it was set aside.
  public private(set) var directory: String
  private let lock: DirectoryLock
  private let calls: FileCalls

  /// Takes the lock. Throws `locked`, with the process that holds it, and `noLog` where there is no directory.
  public convenience init(directory: String) throws(ChangeLogError) {
    try self.init(directory: directory, calls: .system)
  }

  package init(directory: String, calls: FileCalls) throws(ChangeLogError) {
    guard access(directory, F_OK) == 0 else { throw .noLog(directory: directory) }
    var path = directory
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.directory = path
    self.calls = calls
    lock = try DirectoryLock(directory: path, calls: calls)
  }

  /// Renames the directory to `DIRECTORY.SUFFIX`, with a number behind where that name is taken, and makes the change
  /// of name durable. Gives the new path.
  public func setAside(suffix: String) throws(ChangeLogError) -> String {
    var target = "\(directory).\(suffix)"
    var number = 2
    while access(target, F_OK) == 0 {
      target = "\(directory).\(suffix).\(number)"
      number += 1
    }
    try Directory.rename(directory, to: target, calls)
    directory = target
    try Directory.sync(target + "/..", calls)
    return target
  }
}
