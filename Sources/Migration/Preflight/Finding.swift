/// One thing that `check` looked at, and what came of it.
public struct Finding: Hashable, Sendable {
  /// How bad it is.
  public enum Level: String, Hashable, Sendable, CaseIterable {
    /// As it should be.
    case pass
    /// It works, with a consequence that somebody should know.
    case warn
    /// It does not work, or a command would refuse to start.
    case fail
  }

  /// How bad it is.
  public var level: Level
  /// What was looked at: `publication`, `replica identity`.
  public var subject: String
  /// What was found, in a sentence without its full stop.
  public var found: String
  /// How to mend it: SQL to run where that is possible.
  public var fix: String?
  /// The step of the plan that mends it: for `plan` no fault, but what is to be done.
  var step: String? = nil

  /// A finding from its parts.
  public init(_ level: Level, _ subject: String, _ found: String, fix: String? = nil) {
    self.level = level
    self.subject = subject
    self.found = found
    self.fix = fix
  }

  static func pass(_ subject: String, _ found: String) -> Finding { Finding(.pass, subject, found) }

  static func warn(_ subject: String, _ found: String, fix: String) -> Finding {
    Finding(.warn, subject, found, fix: fix)
  }

  static func fail(_ subject: String, _ found: String, fix: String, step: String? = nil) -> Finding {
    var finding = Finding(.fail, subject, found, fix: fix)
    finding.step = step
    return finding
  }

  /// As a plan has it, whose steps mend some of what `check` misses.
  var planned: Finding {
    guard level == .fail, let step else { return self }
    return .pass(subject, "\(found): step \(step) sees to it")
  }
}
