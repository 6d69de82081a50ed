import ChangeLog
import Glibc
import PGOutput

/// What stands in a spool directory, by name.
enum SpoolDirectory {
  enum Kind: Equatable {
    /// Of a transaction in progress: worthless once its connection is gone.
    case open
    case prepared(TransactionID)
    /// Of a prepared one that is being put into the log, where it ends at `end`.
    case committing(TransactionID, end: LSN)
  }

  /// An empty file: the spool holds every prepared transaction that is not settled. It goes with the directory.
  static let complete = "complete"

  /// Takes that back, durably: what stood in the spool may not be what the server believes was sent.
  static func doubtCompleteness(
    logDirectory: String, calls: FileCalls = .system
  ) throws(ChangeLogError) {
    let directory = "\(logDirectory)/spool"
    guard access(directory, F_OK) == 0 else { return }
    try Directory.remove("\(directory)/\(complete)", calls)
    try Directory.sync(directory, calls)
  }

  static func kind(of name: String) -> Kind? {
    if name.hasSuffix(SpoolFormat.openSuffix) { return .open }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let first = parts.first, first.utf8.count == 8, let xid = UInt32(first, radix: 16) else {
      return nil
    }
    switch "." + (parts.last ?? "") {
    case SpoolFormat.preparedSuffix where parts.count == 2: return .prepared(TransactionID(rawValue: xid))
    case SpoolFormat.committingSuffix where parts.count == 3:
      guard let end = UInt64(parts[1], radix: 16) else { return nil }
      return .committing(TransactionID(rawValue: xid), end: LSN(rawValue: end))
    default: return nil
    }
  }

  /// Makes the directory, durably.
  static func make(_ path: String, _ calls: FileCalls) throws(ChangeLogError) {
    _ = try Directory.make(path, calls)
    try Directory.sync(path + "/..", calls)
  }
}
