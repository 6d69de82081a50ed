import ArgumentParser

/// `crossfade log`: what the change log holds.
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Shows, verifies, exports and prunes what the change log holds.",
    discussion: """
      Works on the directory alone, of a log that is being written or of a copy: neither slot nor server is asked, and \
      no writer is kept waiting.
      """,
    subcommands: [
      LogListCommand.self, LogInfoCommand.self, LogCatCommand.self, LogVerifyCommand.self,
      LogHistoryCommand.self, LogExportCommand.self, LogReadersCommand.self, LogPruneCommand.self,
    ])
}
