import ArgumentParser

/// `crossfade quarantine`: the rows whose new value could not be derived.
struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine",
    abstract: "Lists the rows whose status the map does not know, and tries them again.",
    subcommands: [QuarantineListCommand.self, QuarantineRetryCommand.self])
}
