import ArgumentParser
import Capture
import ChangeLog
import DualWrite
import Operations
import Postgres

extension Failure {
  /// A failure of the database sessions.
  init(_ error: PostgresError) {
    let code: ExitCode
    var hint = error.hint
    switch error {
    case .invalidConnectionString: code = .badConfiguration
    case .connectionFailed(let message) where message.contains("unsupported startup parameter"):
      code = .unavailable
      hint = "that is a pooler's answer, such as PgBouncer's: name the server itself in source.connection"
    case .connectionFailed:
      code = .unavailable
      hint = hint ?? "check source.connection of the slot definition, and whether the server is up"
    case .connectionLost, .timedOut: code = .unavailable
    case .interrupted: code = .temporaryFailure
    case .server(let cause):
      switch cause.sqlState.category {
      case "28": code = .noPermission
      case "42" where cause.sqlState == .insufficientPrivilege:
        code = .noPermission
        hint = hint ?? "`crossfade check SLOT` lists the grants needed"
      case "08", "53", "57": code = .unavailable
      default: code = cause.sqlState.isTransient ? .temporaryFailure : .unexpected
      }
    case .unexpected: code = .unexpected
    }
    self.init(
      summary: error.description, hint: hint, isRetriable: error.isRetriable, exitCode: code.rawValue)
  }

  /// A failure of the change log.
  init(_ error: ChangeLogError) {
    let code: ExitCode
    switch error {
    case .locked, .originMismatch, .unknownVersion, .aheadOfLog, .pruned, .reader: code = .refused
    case .damaged, .malformedRecord, .restoredFalse: code = .malformedInput
    case .noLog: code = .cannotOpenInput
    case .diskFull, .io, .syncFailed, .writerFailed, .notRestored, .notArchived: code = .inputOutput
    default: code = .unexpected
    }
    self.init(summary: error.description, hint: Self.hint(error), exitCode: code.rawValue)
  }

  private static func hint(_ error: ChangeLogError) -> String? {
    switch error {
    case .locked:
      return "one process writes a log; stop the other, or give this slot a log.directory of its own"
    case .damaged: return "keep the directory as it is; what stands before the damage can still be read"
    case .io(_, _, let code) where code == 13 || code == 1:
      return "give the user of this process the right to write there"
    case .io(_, _, let code) where code == 27:
      return "raise the limit on the size of a file (ulimit -f), or give the log a smaller log.segment"
    case .notRestored:
      return "what stands before it has been read; the archive, or the restore command, is to be mended"
    case .pruned:
      return
        "if it is archived: give --restore, or a definition with log.restore; otherwise begin at the first position held"
    case .restoredFalse: return "nothing of it is used; look for the segment in another copy of the archive"
    case .diskFull: return "make room; nothing that was confirmed is lost"
    case .noLog: return "`crossfade run` makes it"
    case .unknownVersion:
      return "read it with the Crossfade that wrote it, or a later one; nothing has been changed"
    default: return nil
    }
  }

  /// A failure of capture.
  init(_ error: CaptureError) {
    switch error {
    case .postgres(let cause): self.init(cause)
    case .log(let cause): self.init(cause)
    case .refused(let refusal):
      let code: ExitCode
      if case .privilege = refusal { code = .noPermission } else { code = .refused }
      self.init(summary: error.description, hint: refusal.hint, exitCode: code.rawValue)
    case .protocolViolation:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.malformedInput.rawValue)
    }
  }

  /// A failure of the dual-write.
  init(_ error: DualWriteError) {
    switch error {
    case .postgres(let cause): self.init(cause)
    case .log(.pruned):
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.refused.rawValue)
    case .log(let cause): self.init(cause)
    case .decode:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.malformedInput.rawValue)
    case .missingObject, .mapUnfit, .relationUnfit, .foreignCheckpoint, .heldElsewhere, .newerCheckpoint,
      .standby:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.refused.rawValue)
    }
  }
}
