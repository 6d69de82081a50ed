/// How a shell command ended, and the end of what it printed.
public struct CommandOutcome: Hashable, Sendable, CustomStringConvertible {
  /// The ways to end. Those of a shell command are told apart as PostgreSQL does for `archive_command` and
  /// `restore_command`: a status up to 125 is the command's own no; one above it, or a signal, is that it could not be
  /// run as it should.
  public enum End: Hashable, Sendable {
    /// Status 0.
    case done
    /// A status from 1 to 125: it says no. Of a restore command: the file is not in the archive.
    case refused(status: Int32)
    /// A status above 125: the shell could not run it (126, 127), or what it ran was ended by a signal.
    case broken(status: Int32)
    /// Ended by a signal that was not ours.
    case signalled(Int32)
    /// It took longer than it may, and was ended.
    case timedOut(Duration)
    /// It was ended because we stop.
    case stopped
    /// It could not be started, for this reason.
    case notStarted(String)

    init(status: Int32) {
      let signal = status & 0x7F
      let code = (status >> 8) & 0xFF
      self =
        signal != 0
        ? .signalled(signal)
        : code == 0 ? .done : code <= 125 ? .refused(status: code) : .broken(status: code)
    }
  }

  /// How it ended.
  public let end: End
  /// The end of what it printed, on either output.
  public let output: String

  init(_ end: End, output: String = "") {
    self.end = end
    self.output = output
  }

  /// Whether it said that it has done what it should.
  public var isDone: Bool { end == .done }

  /// `ended with status 1: cp: cannot stat '...'`: in one line, with the last thing that it printed.
  public var description: String {
    let what =
      switch end {
      case .done: "ended with status 0"
      case .refused(let status): "ended with status \(status)"
      case .broken(127): "ended with status 127: the shell found no such command"
      case .broken(126): "ended with status 126: the shell may not run it"
      case .broken(let status): "ended with status \(status)"
      case .signalled(let signal): "was ended by signal \(signal)"
      case .timedOut(let limit): "took longer than \(limit.components.seconds) s and was ended"
      case .stopped: "was ended because Crossfade stops"
      case .notStarted(let reason): "could not be started: \(reason)"
      }
    guard let last = output.split(whereSeparator: \.isNewline).last else { return what }
    let line = String(
      last.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }.map(Character.init))
    return "\(what): \(line)"
  }
}
