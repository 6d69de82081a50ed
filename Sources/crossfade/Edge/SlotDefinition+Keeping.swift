import ArgumentParser
import ChangeLog
import Derivation
import Operations

extension SlotDefinition.Log {
  /// The command that archives.
  func archiveCommand() throws(Failure) -> ShellCommand? {
    try archive.map { text throws(Failure) in try Self.command(text, "log.archive", commandTimeout) }
  }

  /// The command that restores.
  func restoreCommand() throws(Failure) -> ShellCommand? {
    try restore.map { text throws(Failure) in try Self.command(text, "log.restore", commandTimeout) }
  }

  /// The log to be read, with what is archived where there is a way back.
  func source() throws(Failure) -> LogSource {
    LogSource(directory: directory, restore: try restoreCommand().map { LogRestore($0) })
  }

  /// What may be dropped.
  var rules: RetentionRules {
    var rules = RetentionRules(
      age: retain.age.map { Int64($0.seconds) }, bytes: retain.size.map { UInt64($0.bytes) },
      readerLag: retain.readerLag.map { UInt64($0.bytes) })
    rules.archive = archive == nil ? .none : restore == nil ? .trusted : .verified
    return rules
  }

  static func command(_ text: String, _ name: String, _ timeout: Milliseconds) throws(Failure) -> ShellCommand
  {
    do throws(ShellTemplate.Problem) {
      return ShellCommand(try ShellTemplate(text), timeout: timeout.duration)
    } catch {
      throw Failure(
        summary: "\(name) \(error)", hint: error.hint, exitCode: ExitCode.badConfiguration.rawValue)
    }
  }
}
