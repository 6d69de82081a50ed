import ArgumentParser
import ChangeLog
import Derivation
import Operations
import Postgres

/// How what is archived and no longer held is read.
struct RestoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Shell command that copies segment %f of the archive to %p, to read what is no longer held (log.restore).",
      valueName: "command"))
  var restore: String?

  @Option(
    help: ArgumentHelp(
      "Where segments are brought to, one at a time. Without it, restored/ in the log's directory.",
      valueName: "directory"))
  var cache: String?

  /// The source with them, for a command that only reads: a signal ends a restore command, with all it started, before
  /// it ends the process.
  func reading(_ source: LogSource) throws(Failure) -> LogSource {
    let source = try applied(to: source)
    guard let restore = source.restore else { return source }
    guard let interrupt = Interrupt() else {
      throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
    }
    StopSignals.install(interrupt) { LogRestore.isUnderWay }
    return LogSource(
      directory: source.directory, tail: source.tail, restore: restore.stopping { interrupt.isStopped })
  }

  /// The source with them.
  func applied(to source: LogSource) throws(Failure) -> LogSource {
    var command = source.restore?.command
    if let restore {
      command = try SlotDefinition.Log.command(
        restore, "--restore",
        command.map { Milliseconds(Int($0.timeout.components.seconds) * 1000) } ?? .seconds(600))
    }
    return LogSource(
      directory: source.directory, tail: source.tail,
      restore: command.map { LogRestore($0, cache: cache ?? source.restore?.cache) })
  }
}
