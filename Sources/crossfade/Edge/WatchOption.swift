import ArgumentParser

/// `--watch`: look again and again.
struct WatchOption: ParsableArguments {
  @Option(
    name: .customLong("watch"), defaultAsFlag: 2, parsing: .next,
    help: ArgumentHelp(
      "Look again every so many seconds, until Ctrl-C. Put it after the definition.", valueName: "seconds"))
  var seconds: Double?

  func validate() throws {
    guard let seconds else { return }
    guard seconds >= 0.1, seconds <= 86_400 else {
      throw ValidationError("--watch takes 0.1 to 86400 seconds")
    }
  }
}
