/// What reaches the edge when something failed: what happened, what to do, whether trying again may help, and
/// with which exit code the process ends. Each module's own errors are turned into one of these, and only here.
public struct Failure: Error, Hashable, Sendable {
  /// What happened, in a sentence without its full stop. Never holds a secret.
  public var summary: String
  /// What to do about it.
  public var hint: String?
  /// Whether the same call may succeed later without anybody doing anything.
  public var isRetriable: Bool
  /// The process's exit code; never zero.
  public var exitCode: Int32

  /// A failure from its parts. An exit code of zero would say that all is well: it becomes 70 (`EX_SOFTWARE`).
  public init(summary: String, hint: String? = nil, isRetriable: Bool = false, exitCode: Int32) {
    self.summary = summary
    self.hint = hint
    self.isRetriable = isRetriable
    self.exitCode = exitCode == 0 ? 70 : exitCode
  }

  /// The failure as the command line prints it, its lines indented under the program's name:
  ///
  ///     crossfade: the slot is active elsewhere (PID 4711)
  ///       hint: stop the other process, or wait for it to end
  public func rendered(program: String = "crossfade") -> String {
    var lines = ["\(program): \(Self.indented(summary, by: 2))"]
    if let hint, !hint.isEmpty { lines.append("  hint: \(Self.indented(hint, by: 8))") }
    return lines.joined(separator: "\n")
  }

  private static func indented(_ text: String, by spaces: Int) -> String {
    text.replacing("\n", with: "\n" + String(repeating: " ", count: spaces))
  }
}

extension Failure: CustomStringConvertible {
  /// The summary, and the hint in brackets: for log lines.
  public var description: String {
    guard let hint, !hint.isEmpty else { return summary }
    return "\(summary) (\(hint))"
  }
}

extension Failure {
  /// The failure as a `--json` answer.
  public var json: JSONValue {
    [
      "error": [
        "summary": .string(summary), "hint": hint.map { .string($0) } ?? .null,
        "retriable": .bool(isRetriable),
        "exit_code": .integer(Int64(exitCode)),
      ]
    ]
  }
}
