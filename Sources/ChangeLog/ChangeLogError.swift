import Glibc
public import PGOutput

/// What can go wrong with a change log, with what one needs to act on it.
public enum ChangeLogError: Error, Hashable, Sendable {
  /// Another process writes this log; `pid` is what it left in the lock file.
  case locked(directory: String, pid: Int32?)
  /// The log belongs to another source than the one at hand.
  case originMismatch(field: OriginField, held: String, given: String)
  /// The segment was written by a newer Crossfade.
  case unknownVersion(file: String, version: UInt32)
  /// Bytes that are not what was written: at `offset` of `file`, for `reason`.
  case damaged(file: String, offset: UInt64, reason: String)
  /// A system call failed; the log is unchanged.
  case io(operation: String, path: String, errno: Int32)
  /// No room (ENOSPC, EDQUOT): nothing was appended, and the same append can be tried again later.
  case diskFull(path: String)
  /// What was written may not be on disk, and never will be by trying again (the kernel drops the dirty pages
  /// after it has reported the error once). The writer is finished; opening the log anew recovers what stands.
  case syncFailed(path: String, errno: Int32)
  /// The writer failed before, for this reason, and takes nothing more.
  case writerFailed(reason: String)
  /// The group does not continue what was appended last (a transaction begun twice, or ended without a begin).
  case outOfStep(reason: String)
  /// The group repeats what the log already holds: its first commit ends at `given`, the log at `held`.
  case notAdvancing(given: LSN, held: LSN)
  /// A record that is too short for what its tag says, at this byte of its group.
  case malformedRecord(offset: Int, reason: String)
  /// More bytes in one group than a data frame may hold.
  case groupTooLarge(bytes: Int, limit: Int)
  /// liblz4 refused; the message is its own.
  case compression(String)
  /// There is no segment in this directory.
  case noLog(directory: String)
  /// The position asked for lies before the first one that is held.
  case pruned(asked: LSN, firstHeld: LSN)
  /// A sealed segment could not be archived.
  case notArchived(segment: String, reason: String)
  /// An archived segment that was needed could not be brought back.
  case notRestored(segment: String, reason: String)
  /// What was brought back is not the segment that was archived.
  case restoredFalse(segment: String, reason: String)
  /// What was asked of a named reader is refused.
  case reader(name: String, reason: String)
  /// The position asked for lies past the end of the log: it is from another log, or this one lost its end.
  case aheadOfLog(asked: LSN, end: LSN)
  /// The changes of the transaction that ends here were asked for after the reader had gone on.
  case passedOver(end: LSN)
}

extension ChangeLogError {
  /// Whether the same call may succeed later, with nothing lost in between.
  public var isRetriable: Bool {
    switch self {
    case .diskFull, .locked: true
    default: false
    }
  }

  /// The same where the call cannot be made again: what it left could not be put back as it was.
  var final: ChangeLogError {
    guard case .diskFull(let path) = self else { return self }
    return .io(operation: "truncate", path: path, errno: ENOSPC)
  }
}

/// The part of an origin identity in which a log and its source differ.
public enum OriginField: String, Hashable, Sendable {
  /// `system_identifier`: another cluster.
  case systemIdentifier = "system identifier"
  /// The source stands on an older timeline than the log.
  case timeline
  /// Another database of the cluster.
  case databaseOID = "database oid"
  /// Another replication slot.
  case slot
}

extension ChangeLogError {
  /// What is wrong, for those who have named the file.
  var reason: String {
    switch self {
    case .unknownVersion(_, let version):
      "it has format version \(version), and this program reads version \(LogFormat.version)"
    case .io(let operation, _, let code): "\(operation): \(systemMessage(code))"
    case .damaged(_, _, let reason): reason
    default: description
    }
  }
}

extension ChangeLogError: CustomStringConvertible {
  /// One sentence for an operator.
  public var description: String {
    switch self {
    case .locked(let directory, let pid):
      "the change log \(directory) is being written by process \(pid.map(String.init) ?? "unknown")"
    case .originMismatch(let field, let held, let given):
      "the change log belongs to another source: its \(field.rawValue) is \(held), the source's is \(given)"
    case .unknownVersion(let file, let version):
      "\(file) has format version \(version); this program reads version \(LogFormat.version)"
    case .damaged(let file, let offset, let reason):
      "\(file) is damaged at byte \(offset): \(reason)"
    case .io(let operation, let path, let code):
      "\(operation) \(path): \(systemMessage(code))"
    case .diskFull(let path):
      "no room to append to \(path)"
    case .syncFailed(let path, let code):
      "\(path) could not be made durable: \(systemMessage(code))"
    case .writerFailed(let reason):
      "the change log's writer has failed: \(reason)"
    case .outOfStep(let reason):
      "the group does not continue the log: \(reason)"
    case .notAdvancing(let given, let held):
      "the group's first commit ends at \(given), but the log already stands at \(held)"
    case .malformedRecord(let offset, let reason):
      "malformed record at byte \(offset) of its group: \(reason)"
    case .groupTooLarge(let bytes, let limit):
      "a group of \(bytes) bytes is larger than the \(limit) a data frame may hold"
    case .compression(let message):
      "LZ4: \(message)"
    case .noLog(let directory):
      "there is no change log in \(directory)"
    case .pruned(let asked, let first):
      "\(asked) is no longer held; the first position held is \(first)"
    case .notArchived(let segment, let reason):
      "\(segment) could not be archived: \(reason)"
    case .notRestored(let segment, let reason):
      "\(segment) could not be restored: \(reason)"
    case .restoredFalse(let segment, let reason):
      "what was restored as \(segment) is not what was archived: \(reason)"
    case .reader(let name, let reason):
      "reader \(name): \(reason)"
    case .aheadOfLog(let asked, let end):
      "\(asked) lies past the end of the change log, \(end)"
    case .passedOver(let end):
      "the reader has gone on: the changes of the transaction that ends at \(end) are walked before the next is asked for"
    }
  }
}
