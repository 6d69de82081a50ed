import ChangeLog
import Derivation
import Glibc

/// The change log's directory.
struct LogFacts: Equatable, Sendable {
  var directory: String
  var place: Place
  /// Bytes that an ordinary user may still write there.
  var free: UInt64
  var segment: UInt64
  /// What it holds; nil when it holds nothing.
  var summary: LogSummary?
  /// Why it could not be read.
  var damage: String?
  /// How it is kept.
  var keeping = LogKeepingFacts()

  enum Place: Equatable, Sendable {
    case writable
    /// Not there yet; its parent can be written to.
    case absent
    case orphan
    case notWritable
    case notDirectory
  }

  var findings: [Finding] {
    [placeFinding, room] + (place == .writable ? [content] : [])
      + keeping.findings(bytes: summary?.bytes ?? 0, free: free, segment: segment)
  }

  private var placeFinding: Finding {
    let subject = "log directory"
    switch place {
    case .writable: return .pass(subject, "\(directory) can be written to")
    case .absent: return .pass(subject, "\(directory) does not exist yet; `crossfade run` makes it")
    case .orphan:
      return .fail(
        subject, "\(directory) does not exist and cannot be made: its parent is missing or not writable",
        fix: "mkdir -p \(directory) && chown USER \(directory)")
    case .notWritable:
      return .fail(subject, "\(directory) cannot be written to", fix: "chown -R USER \(directory)")
    case .notDirectory:
      return .fail(subject, "\(directory) is not a directory", fix: "name another one in log.directory")
    }
  }

  private var room: Finding {
    let subject = "log disk"
    guard place == .writable || place == .absent else {
      return .warn(subject, "not looked at: there is no directory", fix: "see above")
    }
    let found = "\(Sizes.text(free)) free"
    if free < 2 * segment {
      return .fail(
        subject, "\(found), less than two segments of \(Sizes.text(segment))",
        fix: "make room, or use another disk")
    }
    // A busy ledger writes a GiB of log in minutes; when the disk is full nothing more is confirmed.
    if free < 10 << 30 {
      return .warn(
        subject, "\(found): when it is full, the slot holds WAL back at the server",
        fix: "give the log 10 GiB or more")
    }
    return .pass(subject, found)
  }

  private var content: Finding {
    if let damage {
      return .fail(
        "log", damage,
        fix: "keep the directory; `crossfade reset SLOT --accept-gap` sets it aside and starts anew")
    }
    guard let summary else { return .pass("log", "empty") }
    return .pass(
      "log",
      "\(summary.segments) segments, \(Sizes.text(summary.bytes)), from \(summary.start) to \(summary.watermark), of system "
        + "\(summary.origin.systemIdentifier)")
  }
}

extension LogFacts {
  static func ask(_ log: SlotDefinition.Log) -> LogFacts {
    var facts = LogFacts(
      directory: log.directory, place: .writable, free: 0, segment: UInt64(clamping: log.segment.bytes))
    facts.keeping = LogKeepingFacts(log)
    var status = stat()
    var looked = log.directory
    if stat(log.directory, &status) != 0 {
      looked = parent(of: log.directory)
      facts.place = access(looked, W_OK | X_OK) == 0 ? .absent : .orphan
    } else if status.st_mode & S_IFMT != S_IFDIR {
      facts.place = .notDirectory
    } else if access(log.directory, R_OK | W_OK | X_OK) != 0 {
      facts.place = .notWritable
    }
    var disk = statvfs()
    if statvfs(looked, &disk) == 0 {
      facts.free = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize)).partialValue
    }
    do { facts.summary = try ChangeLogWriter.inspect(directory: log.directory) } catch {
      facts.damage = "\(error)"
    }
    return facts
  }

  private static func parent(of path: String) -> String {
    var parts = path.split(separator: "/")
    parts.removeLast(parts.isEmpty ? 0 : 1)
    let joined = parts.joined(separator: "/")
    return path.hasPrefix("/") ? "/" + joined : (joined.isEmpty ? "." : joined)
  }
}
