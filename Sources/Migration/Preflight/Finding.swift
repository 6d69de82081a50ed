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

  static func fail(_ subject: String, _ found: String, fix: String) -> Finding {
    Finding(.fail, subject, found, fix: fix)
  }
}
