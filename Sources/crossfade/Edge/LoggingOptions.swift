public import ArgumentParser
public import Logging
public import Operations

extension LogFormat: ExpressibleByArgument {}

/// How the process logs.
struct LoggingOptions: ParsableArguments {
  @Option(help: "How log lines are written to standard error: text or json.")
  var logFormat: LogFormat = .text

  @Option(help: "The least severe level that is logged: trace, debug, info, notice, warning or error.")
  var logLevel: Logger.Level = .info

  /// A logger with a name.
  func logger(_ label: String) -> Logger {
    Logger(label: label) { LineLogHandler(label: $0, format: logFormat, level: logLevel) }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
