/// How an event is written.
public enum EventFormat: String, Sendable, CaseIterable {
  /// CloudEvents 1.0, the JSON format.
  case cloudevents
  /// The envelope of Debezium's connectors: `before`, `after`, `source`, `op`.
  case debezium
}

/// How events are set apart.
public enum EventFraming: Sendable, Hashable {
  /// A JSON document a line.
  case lines
  /// Server-sent events: the document is the `data`, its position the `id`.
  case serverSent
}
