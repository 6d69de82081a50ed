public import Logging

/// Writes log events of a level or above to a sink, a line each.
public struct LineLogHandler: LogHandler {
  /// What is written is at least this severe.
  public var logLevel: Logger.Level
  /// What every line of this logger carries.
  public var metadata: Logger.Metadata = [:]
  /// What every line carries besides, asked for as it is written.
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let format: LogFormat
  private let sink: LineSink
  private let clock: @Sendable () -> UTCInstant

  /// A handler for one logger.
  ///
  /// - Parameters:
  ///   - label: The logger's name: `capture`.
  ///   - format: How lines are written.
  ///   - level: What is written is at least this severe.
  ///   - sink: Where lines go.
  ///   - metadataProvider: See `metadataProvider`.
  ///   - clock: What the time is.
  public init(
    label: String, format: LogFormat, level: Logger.Level, sink: LineSink = .standardError,
    metadataProvider: Logger.MetadataProvider? = nil,
    clock: @escaping @Sendable () -> UTCInstant = UTCInstant.now
  ) {
    self.label = label
    self.format = format
    logLevel = level
    self.sink = sink
    self.metadataProvider = metadataProvider
    self.clock = clock
  }

  /// Reads or sets what every line carries under a key.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes an event. The event's own metadata counts before the logger's, and that before the provider's; an error
  /// stands under `error`.
  public func log(event: LogEvent) {
    var fields = metadataProvider?.get() ?? [:]
    fields.merge(metadata) { _, own in own }
    fields.merge(event.metadata ?? [:]) { _, own in own }
    if let error = event.error { fields["error"] = .string("\(error)") }
    sink.write(
      line: format.line(
        at: clock(), level: event.level, logger: label, message: event.message.description, metadata: fields))
  }
}
